import errno
import json
import os
import shutil
import struct
from hashlib import sha256

import pytest
import torch
from torch import nn

from ganzoo.core.errors import RunError
from ganzoo.runs.checkpoint import Checkpoint, latest, prune, save, state_of

META = {"optimisers": {"critic": {"step": 3}}}


def tensors(fill=1.0):
    return {"networks": {"g.weight": torch.full((3, 4), fill)}, "averaged": {"g.weight": torch.zeros(3, 4)}}


def names(run):
    return sorted(path.name for path in run.checkpoints.iterdir())


def test_tensors_and_meta_come_back_as_they_were(run):
    whole = torch.arange(12.0)
    saved = {
        "networks": {
            "view": whole[2:5],
            "shared": whole,
            "again": whole,
            "channels_last": torch.randn(2, 3, 4, 4).to(memory_format=torch.channels_last),
            "transposed": torch.randn(2, 3).T,
            "bf16": torch.randn(3).bfloat16(),
            "step": torch.tensor(7),
            "grad": torch.ones(2, requires_grad=True),
            "empty": torch.zeros(0, 3),
        },
        "nothing": {},
    }
    path = save(run, 640_000, saved, META)
    assert path == run.checkpoints / "000640000"
    assert names(run) == ["000640000"]
    checkpoint = latest(run)
    assert (checkpoint.path, checkpoint.images, checkpoint.meta, checkpoint.damaged) == (
        path,
        640_000,
        META,
        (),
    )
    found = checkpoint.tensors("networks")
    assert found.keys() == saved["networks"].keys()
    for name, tensor in saved["networks"].items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)
    assert checkpoint.tensors("nothing") == {}
    checkpoint.verify()


def test_the_manifest_is_readable_and_holds_checksums_and_sizes(run):
    path = save(run, 100, tensors(), META)
    manifest = json.loads((path / "manifest.json").read_text())
    content = (path / "networks.safetensors").read_bytes()
    assert manifest["files"]["networks.safetensors"] == {
        "sha256": sha256(content).hexdigest(),
        "bytes": len(content),
    }
    assert manifest["images"] == 100
    assert "\n  " in (path / "manifest.json").read_text()


def test_an_unknown_file_is_named(run):
    save(run, 100, tensors(), META)
    with pytest.raises(RunError, match="holds no 'avarage', only: averaged, networks"):
        latest(run).tensors("avarage")


def test_no_checkpoint_is_one_sentence(run):
    with pytest.raises(RunError, match="has no checkpoint"):
        latest(run)
    run.checkpoints.rmdir()
    with pytest.raises(RunError, match="has no checkpoint"):
        latest(run)


def edit_manifest(path, **changes):
    file = path / "manifest.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def truncate(path):
    file = path / "networks.safetensors"
    os.truncate(file, file.stat().st_size - 8)


def flip_a_bit(path):
    file = path / "networks.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)


def lose_a_file(path):
    (path / "averaged.safetensors").unlink()


def lose_the_manifest(path):
    (path / "manifest.json").unlink()


def tear_the_manifest(path):
    os.truncate(path / "manifest.json", 40)


def leave_the_folder(path):
    entry = {"sha256": "0" * 64, "bytes": 3}
    edit_manifest(path, files={"../../secret.safetensors": entry})


def leave_by_an_absolute_path(path):
    edit_manifest(path, files={"/etc/passwd": {"sha256": "0" * 64, "bytes": 3}})


def be_of_other_images(path):
    edit_manifest(path, images=7)


DAMAGES = [
    truncate,
    flip_a_bit,
    lose_a_file,
    lose_the_manifest,
    tear_the_manifest,
    leave_the_folder,
    leave_by_an_absolute_path,
    be_of_other_images,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_newest_is_named_and_the_one_before_used(run, damage):
    save(run, 100, tensors(1.0), META)
    damage(save(run, 200, tensors(2.0), META))
    checkpoint = latest(run)
    assert checkpoint.images == 100
    assert len(checkpoint.damaged) == 1
    assert "000000200" in checkpoint.damaged[0]
    assert "\n" not in checkpoint.damaged[0]
    assert torch.equal(checkpoint.tensors("networks")["g.weight"], torch.ones(3, 4))


@pytest.mark.parametrize("damage", DAMAGES)
def test_only_damaged_ones_are_one_error(run, damage):
    damage(save(run, 100, tensors(), META))
    with pytest.raises(RunError, match=r"has no checkpoint that is whole, .*000000100"):
        latest(run)


@pytest.mark.parametrize("damage", [truncate, flip_a_bit])
def test_damage_after_opening_is_found_before_use(run, damage):
    path = save(run, 100, tensors(), META)
    checkpoint = latest(run)
    damage(path)
    with pytest.raises(RunError, match=r"networks\.safetensors"):
        checkpoint.tensors("networks")
    with pytest.raises(RunError, match=r"networks\.safetensors"):
        checkpoint.verify()


def test_a_quick_check_finds_what_costs_nothing_to_find(run):
    path = save(run, 100, tensors(), META)
    checkpoint = Checkpoint.open(path)
    checkpoint.verify(quick=True)
    flip_a_bit(path)
    checkpoint.verify(quick=True)
    truncate(path)
    with pytest.raises(RunError, match=r"is not whole: it has \d+ bytes of \d+"):
        checkpoint.verify(quick=True)


def lying(header, data=b"\0" * 48):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype="F32", shape=(3, 4), offsets=(0, 48)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x01\x02",
        struct.pack("<Q", 2**63) + b"{}",
        struct.pack("<Q", 1000) + b"{}",
        lying(b"{not json"),
        lying(b"\xff\xfe\xfd"),
        lying({"a": entry(shape=(3, 5))}),
        lying({"a": entry(shape=(2**40, 2**40))}),
        lying({"a": entry(shape=(-3, -4))}),
        lying({"a": entry(dtype="F64")}),
        lying({"a": entry(dtype="PICKLE")}),
        lying({"a": entry(offsets=(0, 96), shape=(6, 4))}),
        lying({"a": entry(offsets=(48, 0))}),
        lying({"a": entry(), "b": entry()}),
        lying({"a": entry(offsets=(24, 48), shape=(6,))}),
        lying({"a": entry()}, b"\0" * 480),
    ],
    ids=str,
)
def test_a_lying_header_is_refused_even_with_the_right_checksum(run, content):
    save(run, 100, tensors(1.0), META)
    path = save(run, 200, tensors(2.0), META)
    (path / "networks.safetensors").write_bytes(content)
    files = {"networks.safetensors": {"sha256": sha256(content).hexdigest(), "bytes": len(content)}}
    edit_manifest(path, files=files)
    for check in (Checkpoint.open(path).verify, lambda: Checkpoint.open(path).tensors("networks")):
        with pytest.raises(RunError, match=r"networks\.safetensors cannot be read"):
            check()
    assert latest(run).images == 100


def test_a_full_disk_leaves_earlier_checkpoints_and_no_trace(run, monkeypatch):
    save(run, 100, tensors(), META)
    fsync, calls = os.fsync, []

    def full_after_one(descriptor):
        calls.append(descriptor)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full_after_one)
    with pytest.raises(RunError, match=r"could not write the checkpoint at 200 images .*\(no space left") as caught:
        save(run, 200, tensors(), META)
    assert "\n" not in str(caught.value)
    monkeypatch.undo()
    assert names(run) == ["000000100"]
    assert latest(run).damaged == ()
    save(run, 200, tensors(), META)
    assert latest(run).images == 200


def test_an_interrupt_during_a_save_leaves_no_trace(run, monkeypatch):
    def interrupt(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save(run, 200, tensors(), META)
    assert names(run) == []


def test_what_a_crash_left_is_neither_used_nor_in_the_way(run):
    leftover = run.checkpoints / ".saving"
    leftover.mkdir()
    (leftover / "networks.safetensors").write_bytes(b"half")
    with pytest.raises(RunError, match="has no checkpoint"):
        latest(run)
    save(run, 100, tensors(), META)
    assert names(run) == ["000000100"]


def test_saving_again_keeps_a_whole_one_and_replaces_a_damaged_one(run):
    path = save(run, 100, tensors(1.0), META)
    save(run, 100, tensors(2.0), META)
    assert torch.equal(latest(run).tensors("networks")["g.weight"], torch.ones(3, 4))
    flip_a_bit(path)
    save(run, 100, tensors(2.0), META)
    assert torch.equal(latest(run).tensors("networks")["g.weight"], torch.full((3, 4), 2.0))
    assert names(run) == ["000000100"]


def test_prune_keeps_the_newest(run):
    for images in (100, 200, 300, 400):
        save(run, images, tensors(), META)
    prune(run, keep=2)
    assert names(run) == ["000000300", "000000400"]
    prune(run, keep=2)
    assert names(run) == ["000000300", "000000400"]


def test_prune_never_removes_the_last_whole_one(run):
    for images in (100, 200, 300, 400):
        save(run, images, tensors(), META)
    for images in (200, 300, 400):
        flip_a_bit(run.checkpoints / f"{images:09d}")
    prune(run, keep=1)
    assert latest(run).images == 100
    save(run, 500, tensors(), META)
    prune(run, keep=1)
    assert names(run) == ["000000500"]
    with pytest.raises(ValueError, match="at least 1"):
        prune(run, keep=0)


def modules(width=4):
    torch.manual_seed(width)
    return {
        "generator": nn.Sequential(nn.Linear(3, width), nn.BatchNorm1d(width)),
        "critic": nn.Linear(width, 1),
    }


def test_modules_are_restored_whole_or_in_part(run):
    one = modules()
    one["generator"](torch.randn(5, 3))
    save(run, 100, {"networks": state_of(one)}, META)
    other = {name: module.requires_grad_() for name, module in modules().items()}
    nn.init.zeros_(other["generator"][0].weight)
    nn.init.zeros_(other["critic"].weight)
    latest(run).restore("networks", {"generator": other["generator"]})
    assert torch.equal(other["critic"].weight, torch.zeros(1, 4))
    for key, value in one["generator"].state_dict().items():
        assert torch.equal(other["generator"].state_dict()[key], value)


@pytest.mark.parametrize("wrong", [{"generator": nn.Linear(3, 4)}, {"encoder": nn.Linear(3, 4)}, modules(width=5)])
def test_a_checkpoint_of_another_model_is_refused_and_changes_nothing(run, wrong):
    save(run, 100, {"networks": state_of(modules())}, META)
    before = {key: value.clone() for key, value in state_of(wrong).items()}
    with pytest.raises(RunError, match=r"000000100 is of another model: \w+\.\S+ is .* there and .* here"):
        latest(run).restore("networks", wrong)
    for key, value in state_of(wrong).items():
        assert torch.equal(value, before[key])


def test_a_copied_run_still_verifies(run, tmp_path):
    save(run, 100, tensors(), META)
    shutil.copytree(run.path, tmp_path / "elsewhere")
    run.path = tmp_path / "elsewhere"
    assert latest(run).images == 100
