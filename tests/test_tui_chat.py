"""The chat screen, driven by keys: talk, stop, resume, commands, no model, hostile words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from textual.widgets import Markdown, OptionList, Static
from tui_world import REPLY, World, empty, filled, plain, settled, typed

from storage.records import Filter
from tui.chat import ChatScreen
from tui.nights import JobBegan
from tui.talk import Beside, Editor, Said


def stored(world: World) -> list[str]:
    memory = world.open()
    try:
        return [r.text for r in memory.store.records(Filter(), newest_first=False)]
    finally:
        memory.close()


async def test_what_is_said_is_answered_and_kept(tmp_path: Path) -> None:
    world = empty(tmp_path)
    async with world.app().run_test() as pilot:
        await typed(pilot, "hello")
        await pilot.press("enter")
        await settled(pilot, lambda: "stored" in plain(pilot))
        reply = pilot.app.screen.query(Markdown).last()
        assert reply.source == REPLY
        assert pilot.app.screen.query_one(Editor).text == ""
    assert stored(world) == ["hello", REPLY]


async def test_memories_used_stand_beside_the_answer(tmp_path: Path) -> None:
    world = filled(tmp_path, embed="fake")
    async with world.app().run_test(size=(120, 40)) as pilot:
        await typed(pilot, "where does my sister Anna live?")
        await pilot.press("enter")
        await settled(pilot, lambda: "stored" in plain(pilot))
        beside = pilot.app.screen.query_one("#evidence", OptionList)
        assert beside.option_count > 0
        screen = plain(pilot)
        assert "2024" in screen
        assert "Graz" in screen
        beside.focus()
        await pilot.press("home", "enter")
        await settled(pilot, lambda: pilot.app.current_mode == "memories")


async def test_an_empty_store_teaches_in_three_lines(tmp_path: Path) -> None:
    async with empty(tmp_path).app().run_test() as pilot:
        await settled(pilot, lambda: bool(pilot.app.screen.query("#welcome")))
        welcome = pilot.app.screen.query_one("#welcome", Static)
        assert len(str(welcome.content).splitlines()) == 3


async def test_without_a_chat_model_the_screen_says_what_to_run_and_keeps_the_words(tmp_path: Path) -> None:
    world = empty(tmp_path, chat="")
    async with world.app().run_test() as pilot:
        await settled(pilot, lambda: "mem setup" in plain(pilot))
        await typed(pilot, "hello")
        await pilot.press("enter")
        await settled(pilot, lambda: pilot.app.screen.query_one(Editor).text == "hello")
        await pilot.press("escape", "2")
        await settled(pilot, lambda: pilot.app.current_mode == "memories")


async def test_escape_stops_a_reply_and_keeps_what_was_said(tmp_path: Path) -> None:
    import threading

    held = threading.Event()

    def slow(_: object) -> str:
        held.wait(5)
        return "one two three four five six seven eight"

    world = replace(empty(tmp_path), replies=slow)
    async with world.app().run_test() as pilot:
        await typed(pilot, "hello")
        await pilot.press("enter")
        await settled(pilot, lambda: "Escape stops" in plain(pilot))
        await pilot.press("escape")
        held.set()
        await settled(pilot, lambda: "stopped" in plain(pilot))
        assert pilot.app.is_running
    words = stored(world)
    assert words[0] == "hello"
    assert words[1] in "one two three four five six seven eight"
    assert len(words[1]) < 20


async def test_a_second_message_waits_in_the_editor_while_one_is_answered(tmp_path: Path) -> None:
    import threading

    held = threading.Event()
    world = replace(empty(tmp_path), replies=lambda _: (held.wait(5), "done")[1])
    async with world.app().run_test() as pilot:
        await typed(pilot, "hello")
        await pilot.press("enter")
        await typed(pilot, "again")
        await pilot.press("enter")
        assert pilot.app.screen.query_one(Editor).text == "again"
        held.set()
        await settled(pilot, lambda: "stored" in plain(pilot))
    assert stored(world) == ["hello", "done"]


async def test_incognito_is_marked_and_stores_nothing(tmp_path: Path) -> None:
    world = empty(tmp_path)
    async with world.app().run_test() as pilot:
        await pilot.press("ctrl+g")
        await settled(pilot, lambda: "INCOGNITO" in plain(pilot))
        await typed(pilot, "hello")
        await pilot.press("enter")
        await settled(pilot, lambda: "nothing stored" in plain(pilot))
    assert stored(world) == []


async def test_sessions_are_listed_and_one_is_gone_on_with(tmp_path: Path) -> None:
    async with filled(tmp_path).app().run_test(size=(100, 30)) as pilot:
        await pilot.press("ctrl+o")
        await settled(pilot, lambda: "newest first" in plain(pilot))
        await pilot.press("down", "enter")
        await settled(pilot, lambda: len(pilot.app.screen.query(Said)) == 2)
        assert "hazelnuts" in plain(pilot)
        assert pilot.app.screen.talk.session == "spring"  # type: ignore[attr-defined]


async def test_many_lines_are_one_message(tmp_path: Path) -> None:
    world = empty(tmp_path)
    async with world.app().run_test() as pilot:
        await typed(pilot, "one")
        await pilot.press("ctrl+j")
        await typed(pilot, "two")
        await pilot.press("enter")
        await settled(pilot, lambda: "stored" in plain(pilot))
    assert stored(world)[0] == "one\ntwo"


async def test_remember_keeps_and_recall_searches(tmp_path: Path) -> None:
    world = empty(tmp_path)
    async with world.app().run_test() as pilot:
        await typed(pilot, "/remember the key is under the pot")
        await pilot.press("enter")
        await settled(pilot, lambda: "Kept as" in plain(pilot))
        await typed(pilot, "/recall key")
        await pilot.press("enter")
        await settled(pilot, lambda: pilot.app.current_mode == "memories")
        await settled(pilot, lambda: "1 by " in plain(pilot))
    assert stored(world) == ["the key is under the pot"]


async def test_an_unknown_command_is_explained_and_not_lost(tmp_path: Path) -> None:
    async with empty(tmp_path).app().run_test() as pilot:
        await typed(pilot, "/dance now")
        await pilot.press("enter")
        await settled(pilot, lambda: "There is no command /dance" in plain(pilot))
        assert pilot.app.screen.query_one(Editor).text == "/dance now"


async def test_up_brings_the_last_message_back_to_be_changed(tmp_path: Path) -> None:
    async with empty(tmp_path).app().run_test() as pilot:
        await typed(pilot, "hello")
        await pilot.press("enter")
        await settled(pilot, lambda: "stored" in plain(pilot))
        await pilot.press("up")
        await settled(pilot, lambda: pilot.app.screen.query_one(Editor).text == "hello")


async def test_hostile_words_are_shown_as_text(tmp_path: Path) -> None:
    hostile = "[@click=app.quit]x[/] [bold]b[/bold] \x1b[31mred\x1b[0m \x07 [link](javascript:alert)"
    world = replace(empty(tmp_path), replies=[hostile])
    async with world.app().run_test(size=(120, 30)) as pilot:
        editor = pilot.app.screen.query_one(Editor)
        editor.insert("hello [@click=app.quit]x[/]")
        await pilot.press("enter")
        await settled(pilot, lambda: "stored" in plain(pilot))
        screen = plain(pilot)
        assert "\x1b" not in screen
        assert "\x07" not in screen
        assert "[@click=app.quit]x[/]" in screen
        assert pilot.app.is_running


async def test_the_side_panel_hides_where_there_is_no_room(tmp_path: Path) -> None:
    async with empty(tmp_path).app().run_test(size=(60, 20)) as pilot:
        await pilot.pause()
        assert not pilot.app.screen.query_one(Beside).display


async def test_leaving_stops_the_reply_and_keeps_what_was_said(tmp_path: Path) -> None:
    import threading

    held = threading.Event()
    words = "one two three four five six seven eight"
    world = replace(empty(tmp_path), replies=lambda _: (held.wait(5), words)[1])
    async with world.app().run_test() as pilot:
        screen = pilot.app.screen
        assert isinstance(screen, ChatScreen)
        await typed(pilot, "hello")
        await pilot.press("enter")
        await settled(pilot, lambda: "Escape stops" in plain(pilot))
        threading.Timer(0.3, held.set).start()
    said = stored(world)
    assert said[0] == "hello"
    assert len(said[1]) < len(words)


async def test_sleep_goes_to_the_nights_and_sleeps(tmp_path: Path) -> None:
    async with filled(tmp_path).app().run_test(size=(100, 30)) as pilot:
        await typed(pilot, "/sleep")
        await pilot.press("enter")
        await settled(pilot, lambda: pilot.app.current_mode == "nights" and "is over" in plain(pilot), 500)
        pilot.app.screen.post_message(JobBegan("backup"))  # late word of a job
        await pilot.pause()
        assert "is over" in plain(pilot)


async def test_an_answer_is_had_anew_and_the_first_is_gone(tmp_path: Path) -> None:
    world = replace(empty(tmp_path), replies=["first answer", "second answer"])
    async with world.app().run_test(size=(100, 30)) as pilot:
        await typed(pilot, "hello")
        await pilot.press("enter")
        await settled(pilot, lambda: "stored" in plain(pilot))
        await pilot.press("f5")
        await settled(pilot, lambda: "second answer" in plain(pilot) and "stored" in plain(pilot))
        assert "first answer" not in plain(pilot)
        assert len(pilot.app.screen.query(Said)) == 2
    assert stored(world) == ["hello", "second answer"]


async def test_the_last_message_is_changed_and_its_first_words_are_gone(tmp_path: Path) -> None:
    world = replace(empty(tmp_path), replies=["first answer", "second answer", "third answer"])
    async with world.app().run_test(size=(100, 30)) as pilot:
        for text in ("good day", "hello"):
            await typed(pilot, text)
            await pilot.press("enter")
            await settled(pilot, lambda text=text: text in plain(pilot) and "stored" in plain(pilot))
            await settled(pilot, lambda: not pilot.app.screen._busy)  # type: ignore[attr-defined]
        await typed(pilot, "/edit")
        await pilot.press("enter")
        await settled(pilot, lambda: "Changing your last message" in plain(pilot))
        await typed(pilot, " you")
        await pilot.press("enter")
        await settled(pilot, lambda: "third answer" in plain(pilot) and not pilot.app.screen._busy)  # type: ignore[attr-defined]
        assert len(pilot.app.screen.query(Said)) == 4
    assert stored(world) == ["good day", "first answer", "hello you", "third answer"]


async def test_a_change_that_is_left_leaves_all_as_it_was(tmp_path: Path) -> None:
    world = replace(empty(tmp_path), replies=["one", "two"])
    async with world.app().run_test() as pilot:
        await typed(pilot, "hello")
        await pilot.press("enter")
        await settled(pilot, lambda: "stored" in plain(pilot))
        await pilot.press("up", "x", "escape")
        assert pilot.app.screen.query_one(Editor).text == ""
        await typed(pilot, "again")
        await pilot.press("enter")
        await settled(pilot, lambda: "two" in plain(pilot) and not pilot.app.screen._busy)  # type: ignore[attr-defined]
    assert stored(world) == ["hello", "one", "again", "two"]


async def test_a_turn_that_a_night_has_used_stays_on_the_screen(tmp_path: Path) -> None:
    world = replace(empty(tmp_path), replies=["one", "two"])
    async with world.app().run_test(size=(100, 30), notifications=True) as pilot:
        await typed(pilot, "hello")
        await pilot.press("enter")
        await settled(pilot, lambda: "stored" in plain(pilot))
        memory = world.open()
        turn = memory.store.records(Filter(), newest_first=False)[0]
        with memory.store.atomic("sleep: link", turn.recorded_at):
            memory.store.update(replace(turn, importance=9.0))
        memory.close()
        await pilot.press("f5")
        await settled(pilot, lambda: "A night has made something" in plain(pilot))
        await settled(pilot, lambda: len(pilot.app.screen.query(Said)) == 2)
        assert "one" in plain(pilot)
    assert stored(world) == ["hello", "one"]


async def test_the_window_is_shown_and_changed(tmp_path: Path) -> None:
    world = empty(tmp_path)
    async with world.app().run_test(size=(100, 40), notifications=True) as pilot:
        await typed(pilot, "hello")
        await pilot.press("enter")
        await settled(pilot, lambda: "stored" in plain(pilot))
        await typed(pilot, "/context")
        await pilot.press("enter")
        await settled(pilot, lambda: "system" in plain(pilot) and "tokens." in plain(pilot))
        memory = world.open()
        id = memory.store.records(Filter(), newest_first=False)[0].id
        memory.close()
        await typed(pilot, f"/context hide {id}")
        await pilot.press("enter")
        await settled(pilot, lambda: "hidden" in plain(pilot))
        await typed(pilot, "/context dance x")
        await pilot.press("enter")
        await settled(pilot, lambda: "There is no 'dance'" in plain(pilot))
