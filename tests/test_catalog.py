from pathlib import Path

import pytest

from models.catalog import (
    CATALOG,
    GIB,
    HubSource,
    PackageSource,
    and_weaker,
    find,
    suggest_chat,
    suggest_embedder,
)
from models.errors import EngineMissing, ModelDamaged, ModelMissing
from models.open import open_chat, open_embedder


def test_ids_and_paths_are_unique_and_stay_inside_the_folder() -> None:
    assert len({model.id for model in CATALOG}) == len(CATALOG)
    for model in CATALOG:
        names = [file.name for file in model.files]
        assert len(set(names)) == len(names)
        assert not any(Path(name).is_absolute() or ".." in Path(name).parts for name in names)


def test_every_entry_says_what_a_user_must_know_before_fetching_it() -> None:
    for model in CATALOG:
        assert model.about and model.licence and model.context_tokens > 0 and model.ram > model.size
        for file in model.files:
            assert file.size > 0 and file.sources
            assert file.sha256 is None or len(bytes.fromhex(file.sha256)) == 32


def test_a_hub_comes_first_and_packages_are_pinned() -> None:
    for file in (file for model in CATALOG for file in model.files):
        kinds = [type(source) for source in file.sources]
        assert kinds in ([HubSource], [HubSource, PackageSource], [PackageSource])
        for source in file.sources:
            if isinstance(source, HubSource):
                assert source.url.startswith("https://")
            if isinstance(source, PackageSource):
                assert all("==" in requirement for requirement in source.requirements)


def test_find_names_the_choices() -> None:
    assert find("minilm-int8").kind == "embed"
    with pytest.raises(ModelMissing) as caught:
        find("gpt-9")
    assert "qwen2.5-coder-0.5b" in caught.value.hint


@pytest.mark.parametrize(
    ("ram", "cores", "expected"),
    [
        (2, 2, "qwen2.5-coder-0.5b"),
        (64, 1, "qwen2.5-coder-0.5b"),
        (3.8, 2, "qwen2.5-coder-1.5b"),
        (24, 2, "qwen2.5-coder-1.5b"),
        (7.7, 4, "qwen3-4b"),
        (64, 4, "qwen3-4b"),
        (15.5, 8, "qwen3-8b"),
    ],
)
def test_the_suggestion_fits_memory_and_cores(ram: float, cores: int, expected: str) -> None:
    suggested = suggest_chat(int(ram * GIB), cores)
    assert suggested.id == expected
    assert suggested.ram <= ram * GIB


def test_below_a_suggestion_is_always_one_that_a_package_registry_carries() -> None:
    best = suggest_chat(1 << 50, 1000)
    steps = and_weaker(best)
    assert steps[0] == best and [model.size for model in steps] == sorted(
        (m.size for m in steps), reverse=True
    )
    for model in steps[-2:]:
        assert any(isinstance(source, PackageSource) for source in model.files[0].sources)
    assert and_weaker(find("gemma-3-4b")) == (find("gemma-3-4b"),)


def test_the_suggested_embedder_is_the_smallest() -> None:
    embedders = [model for model in CATALOG if model.kind == "embed"]
    assert suggest_embedder() == min(embedders, key=lambda model: model.size)


def test_a_model_is_installed_when_all_its_files_have_their_size(tmp_path: Path) -> None:
    model = find("minilm-int8")
    assert not model.installed(tmp_path)
    for file in model.files:
        path = model.folder(tmp_path) / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert not model.installed(tmp_path)
    for file in model.files:
        with (model.folder(tmp_path) / file.name).open("r+b") as written:
            written.truncate(file.size)
    assert model.installed(tmp_path)


@pytest.mark.parametrize("opener", [open_chat, open_embedder])
def test_what_is_missing_comes_with_the_command_that_fetches_it(opener: object, tmp_path: Path) -> None:
    known = "qwen2.5-coder-0.5b" if opener is open_chat else "minilm-int8"
    with pytest.raises(ModelMissing) as caught:
        opener(known, tmp_path)  # type: ignore[operator]
    assert f"mem model pull {known}" in caught.value.hint


def test_no_chat_model_or_an_unknown_one_is_a_clean_error(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="No chat model is chosen"):
        open_chat("", tmp_path)
    with pytest.raises(ModelMissing, match="neither a model of the catalog nor a file"):
        open_chat("nonsense", tmp_path)
    with pytest.raises(ModelMissing):
        open_chat(str(tmp_path), tmp_path)


def test_a_file_that_is_no_model_is_refused_before_llama_cpp_sees_it(tmp_path: Path) -> None:
    (tmp_path / "cat.gguf").write_bytes(b"meow" * 100)
    with pytest.raises(ModelDamaged, match="GGUF"):
        open_chat(str(tmp_path / "cat.gguf"), tmp_path)


def test_a_folder_without_a_model_is_a_clean_error(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing):
        open_embedder(str(tmp_path), tmp_path)


def test_a_missing_engine_names_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "sentence_transformers", None)
    with pytest.raises(EngineMissing) as caught:
        open_embedder("sentence-transformers/some-model", tmp_path)
    assert caught.value.hint == "pip install 'mem-assistant[torch]'"
