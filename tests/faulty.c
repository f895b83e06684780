/* Stands between a process and its disk (LD_PRELOAD): the nth call that changes a file under one folder
   fails, writes half, or is the last one. Counts the calls; knows nothing of what is in them. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum action { COUNT, KILL, TORN, FAIL_IO, FAIL_SPACE, SHORT };

static char root[PATH_MAX];
static long seen, nth;
static enum action what;

void faulty_arm(const char *folder, long number, int action)
{
    seen = 0;
    nth = number;
    what = action;
    snprintf(root, sizeof root, "%s/", folder);
}

long faulty_seen(void) { return seen; }

static int is_ours(const char *path) { return path && root[0] && strncmp(path, root, strlen(root)) == 0; }

static int fd_is_ours(int fd)
{
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    return is_ours(path);
}

/* What to do with this call: COUNT lets it pass. Does not return from KILL. */
static enum action due(int ours)
{
    if (!ours || ++seen != nth)
        return COUNT;
    if (what == KILL)
        kill(getpid(), SIGKILL);
    return what;
}

static int failed(enum action now)
{
    if (now == FAIL_IO || now == FAIL_SPACE) {
        errno = now == FAIL_IO ? EIO : ENOSPC;
        return 1;
    }
    return 0;
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define WRITING(name, params, half, all)                                                                     \
    ssize_t name params                                                                                      \
    {                                                                                                        \
        REAL(name);                                                                                          \
        enum action now = due(fd_is_ours(fd));                                                               \
        if (failed(now))                                                                                     \
            return -1;                                                                                       \
        if (now == TORN || now == SHORT) {                                                                   \
            ssize_t done = half;                                                                             \
            if (now == TORN)                                                                                 \
                kill(getpid(), SIGKILL);                                                                     \
            return done;                                                                                     \
        }                                                                                                    \
        return all;                                                                                          \
    }

WRITING(write, (int fd, const void *data, size_t n), real(fd, data, (n + 1) / 2), real(fd, data, n))
WRITING(pwrite, (int fd, const void *data, size_t n, off_t at), real(fd, data, (n + 1) / 2, at), real(fd, data, n, at))
WRITING(pwrite64, (int fd, const void *data, size_t n, off64_t at), real(fd, data, (n + 1) / 2, at), real(fd, data, n, at))
WRITING(writev, (int fd, const struct iovec *v, int n), real(fd, v, 1), real(fd, v, n))
WRITING(sendfile, (int fd, int in, off_t *at, size_t n), real(fd, in, at, (n + 1) / 2), real(fd, in, at, n))

#define CHANGING(name, params, ours, args)                                                                   \
    int name params                                                                                          \
    {                                                                                                        \
        REAL(name);                                                                                          \
        enum action now = due(ours);                                                                         \
        if (failed(now))                                                                                     \
            return -1;                                                                                       \
        int done = real args;                                                                                \
        if (now == TORN)                                                                                     \
            kill(getpid(), SIGKILL);                                                                         \
        return done;                                                                                         \
    }

/* What a process has written outlives it in the kernel: the wait for the disk itself is left out. */
#define SYNCING(name)                                                                                        \
    int name(int fd)                                                                                         \
    {                                                                                                        \
        REAL(name);                                                                                          \
        if (!fd_is_ours(fd))                                                                                 \
            return real(fd);                                                                                 \
        return failed(due(1)) ? -1 : 0;                                                                      \
    }

/* Only what brings a file into being, or empties it. */
#define OPENING(name)                                                                                        \
    int name(const char *path, int flags, ...)                                                               \
    {                                                                                                        \
        REAL(name);                                                                                          \
        va_list rest;                                                                                        \
        va_start(rest, flags);                                                                               \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;                                            \
        va_end(rest);                                                                                        \
        int changes = flags & O_TRUNC || (flags & O_CREAT && access(path, F_OK) != 0);                       \
        enum action now = due(changes && is_ours(path));                                                     \
        if (failed(now))                                                                                     \
            return -1;                                                                                       \
        int done = real(path, flags, mode);                                                                  \
        if (now == TORN)                                                                                     \
            kill(getpid(), SIGKILL);                                                                         \
        return done;                                                                                         \
    }

OPENING(open)
OPENING(open64)
SYNCING(fsync)
SYNCING(fdatasync)
CHANGING(ftruncate, (int fd, off_t size), fd_is_ours(fd), (fd, size))
CHANGING(ftruncate64, (int fd, off64_t size), fd_is_ours(fd), (fd, size))
CHANGING(rename, (const char *from, const char *to), is_ours(to), (from, to))
CHANGING(link, (const char *from, const char *to), is_ours(to), (from, to))
CHANGING(unlink, (const char *path), is_ours(path), (path))
CHANGING(fchmod, (int fd, mode_t mode), fd_is_ours(fd), (fd, mode))
CHANGING(fchown, (int fd, uid_t user, gid_t group), fd_is_ours(fd), (fd, user, group))
CHANGING(chmod, (const char *path, mode_t mode), is_ours(path), (path, mode))
CHANGING(mkdir, (const char *path, mode_t mode), is_ours(path) && access(path, F_OK) != 0, (path, mode))
CHANGING(rmdir, (const char *path), is_ours(path), (path))
