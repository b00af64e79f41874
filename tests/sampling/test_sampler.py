import re
import weakref
from copy import deepcopy

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import latent_specs, values

from ganzoo.core.errors import RunError, UsageError
from ganzoo.core.latent import LatentSpec
from ganzoo.runs import checkpoint
from ganzoo.sampling import sampler as sampler_module
from ganzoo.sampling.chunks import CHUNK, cuts
from ganzoo.sampling.pictures import GUTTER
from ganzoo.sampling.sampler import Sampler

LATENT = LatentSpec.parse(
    'z: normal(3), label: categorical(3, names=["ant", "bee", "cat"]) condition, style: uniform(2) code'
)
relaxed = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])


def test_samples_have_the_data_shape_and_range(sampler):
    samples = sampler.sample(5)
    assert samples.shape == (5, 1, 16, 16)
    assert samples.dtype == torch.float32 and samples.device.type == "cpu" and samples.is_contiguous()
    assert samples.min() >= -1 and samples.max() <= 1
    assert samples.std() > 0


def test_a_batch_of_one_works(sampler):
    assert sampler.sample(1).shape == (1, 1, 16, 16)


@pytest.mark.parametrize(("first", "n"), [(0, 1), (0, 65), (63, 2), (64, 64), (70, 100), (199, 1)])
def test_sample_k_is_the_same_bits_for_any_n_and_first(sampler, first, n):
    whole = sampler.sample(200, seed=5)
    assert torch.equal(sampler.sample(n, seed=5, first=first), whole[first : first + n])


def test_sample_k_is_the_same_bits_for_any_batching_of_given(sampler):
    classes, styles = [k % 3 for k in range(150)], [[k / 150, -k / 150] for k in range(150)]
    whole = sampler.sample(150, seed=1, given={"label": classes, "style": styles})
    for a, b in [(0, 10), (10, 90), (90, 150)]:
        part = sampler.sample(b - a, seed=1, first=a, given={"label": classes[a:b], "style": styles[a:b]})
        assert torch.equal(part, whole[a:b])


def test_the_generator_only_ever_gets_whole_chunks(echo):
    sampler = echo(LATENT)
    sampler.sample(1)
    sampler.sample(70, first=60)
    assert sampler.generator.calls == [CHUNK] * 4


@given(st.integers(0, 300), st.integers(0, 300))
def test_cuts_cover_every_row_once_and_cross_no_chunk(n, first):
    parts = list(cuts(n, first))
    assert [row for part in parts for row in range(part.start, part.stop)] == list(range(n))
    assert all((first + part.start) // CHUNK == (first + part.stop - 1) // CHUNK for part in parts)


@relaxed
@given(st.data(), latent_specs(), st.integers(0, 1000), st.integers(1, 150), st.integers(0, 150))
def test_the_latents_are_those_of_the_space(echo, data, latent, seed, n, first):
    names = data.draw(st.lists(st.sampled_from(latent.names), unique=True))
    given = {name: data.draw(values(latent[name])) for name in names}
    samples = echo(latent).sample(n, seed, first, given)
    assert torch.equal(samples, latent.sample(n, seed, first, given).flat)


def test_given_pins_by_index_name_and_row(echo):
    sampler = echo(LATENT)
    columns = LATENT.columns("label")
    free = sampler.sample(3)
    for value, classes in [(2, [2, 2, 2]), ("bee", [1, 1, 1]), ([0, "cat", 1], [0, 2, 1])]:
        pinned = sampler.sample(3, given={"label": value})
        assert pinned[:, columns].argmax(1).tolist() == classes
        pinned[:, columns] = free[:, columns]
        assert torch.equal(pinned, free)


def test_stream_gives_the_same_samples_a_chunk_at_a_time(sampler):
    classes = [k % 4 for k in range(200)]
    batches = list(sampler.stream(200, seed=2, first=10, given={"category": classes}))
    assert max(map(len, batches)) == CHUNK
    assert torch.equal(torch.cat(batches), sampler.sample(200, seed=2, first=10, given={"category": classes}))


def test_stream_keeps_no_batch_alive(echo):
    references = [weakref.ref(batch) for batch in echo(LATENT).stream(10_000)]
    assert len(references) == 157
    assert sum(reference() is not None for reference in references) == 0


def test_stream_complains_at_once(sampler):
    with pytest.raises(UsageError):
        sampler.stream(10, given={"style": 3})


def test_generate_makes_the_samples_of_given_latents(sampler):
    latents = sampler.latent.sample(100, 4, first=30)
    assert torch.equal(sampler.generate(latents, first=30), sampler.sample(100, seed=4, first=30))


def test_sampling_leaves_every_buffer_unchanged(sampler):
    sampler.generator.train()
    before = deepcopy(sampler.generator.state_dict())
    sampler.sample(100)
    sampler.traverse(steps=2)
    sampler.interpolate(2, 2)
    after = sampler.generator.state_dict()
    assert any("running_mean" in key for key in before)
    assert all(torch.equal(before[key], after[key]) for key in before)


@pytest.mark.parametrize("training", [True, False])
def test_sampling_restores_the_mode_of_every_module(sampler, training):
    generator = sampler.generator.train(training)
    odd_one = list(generator.modules())[-1].train(not training)
    modes = [module.training for module in generator.modules()]
    samples = sampler.sample(2)
    assert [module.training for module in generator.modules()] == modes
    odd_one.train(training)
    assert torch.equal(samples, sampler.sample(2))


def test_the_mode_is_restored_when_the_generator_fails(sampler):
    sampler.generator.train()
    sampler.latent = LatentSpec.parse("z: normal(1)")
    with pytest.raises(RuntimeError):
        sampler.sample(1)
    assert sampler.generator.training


def test_samples_may_be_trained_on(sampler):
    samples = sampler.sample(4)
    assert not samples.requires_grad and not samples.is_inference()
    weight = torch.ones(1, requires_grad=True)
    (samples * weight).sum().backward()
    assert weight.grad is not None
    assert not next(sampler.stream(1)).is_inference()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": -3}, "-3"),
        ({"n": 0}, "0"),
        ({"n": 1, "first": -1}, "-1"),
        ({"n": 1, "given": {"lable": 1}}, "no latent variable 'lable'; did you mean 'label'?"),
        ({"n": 1, "given": {"label": 3}}, "'label'.*from 0 to 2, not 3"),
        ({"n": 1, "given": {"label": "dog"}}, "'label'.*dog"),
        ({"n": 4, "given": {"label": [0, 1]}}, "'label'.*one a row"),
        ({"n": 1, "given": {"style": 1.5}}, "'style'.*from -1 to 1, not 1.5"),
    ],
)
def test_bad_requests_are_refused_in_one_sentence(sampler, arguments, message):
    with pytest.raises(UsageError, match=message) as caught:
        sampler.sample(**arguments)
    assert "\n" not in str(caught.value)


def test_a_sheet_has_a_row_for_each_class(echo, monkeypatch):
    seen = {}

    def grid(samples, data, columns=None, row_labels=None, column_labels=None):
        seen.update(samples=samples, columns=columns, labels=row_labels)

    monkeypatch.setattr(sampler_module, "grid", grid)
    sampler = echo(LATENT)
    sampler.sheet(seed=3)
    assert seen["columns"] == 10 and seen["labels"] == ("ant", "bee", "cat")
    assert seen["samples"][:, LATENT.columns("label")].argmax(1).tolist() == [0] * 10 + [1] * 10 + [2] * 10
    assert len(seen["samples"][:, 0].unique()) == 30
    sampler.sheet(6)
    assert seen["columns"] == 2
    for arguments in ({"n": 7}, {"n": 6, "given": {"label": 1}}):
        sampler.sheet(**arguments)
        assert seen["columns"] is None and torch.equal(seen["samples"], sampler.sample(**arguments))
    echo(LatentSpec.parse("z: normal(2)")).sheet()
    assert seen["columns"] is None and len(seen["samples"]) == 100


def test_a_sheet_is_a_picture_of_all_its_samples(sampler):
    factor = 10  # 4 × 16 pixels, at most 700
    image = sampler.sheet(16, given={"label": 0, "category": 0})
    assert image.size == (4 * 16 * factor + 5 * GUTTER,) * 2
    pixels = np.asarray(image)
    sample = sampler.sample(16, given={"label": 0, "category": 0})[5, 0]
    corner = 16 * factor + 2 * GUTTER  # of the sixth sample
    shown = pixels[corner : corner + 16 * factor : factor, corner : corner + 16 * factor : factor, 0]
    assert np.abs(shown / 127.5 - 1 - sample.numpy()).max() <= 0.5 / 127.5 + 1e-6


def test_interpolation_goes_from_samples_to_those_that_follow(echo):
    sampler = echo(LATENT)
    ends = sampler.sample(8, seed=6)
    ways = sampler.interpolate(steps=5, rows=4, seed=6)
    assert ways.shape == (4, 5, LATENT.width)
    torch.testing.assert_close(ways[:, 0], ends[:4])
    columns = LATENT.columns("label")
    assert torch.equal(ways[:, :, columns], ends[:4, None, columns].expand(-1, 5, -1))
    ends[4:, columns] = ends[:4, columns]
    torch.testing.assert_close(ways[:, -1], ends[4:])
    style = LATENT.columns("style")
    torch.testing.assert_close(ways[:, 2, style], (ends[:4, style] + ends[4:, style]) / 2)


def test_interpolated_noise_is_standard_normal_at_every_step(echo):
    ways = echo(LatentSpec.parse("z: normal(4)")).interpolate(steps=5, rows=2000)
    for step in range(5):
        assert abs(ways[:, step].mean()) < 0.05 and abs(ways[:, step].std() - 1) < 0.03


def test_interpolation_keeps_what_is_given(echo):
    ways = echo(LATENT).interpolate(3, 2, given={"z": [[1, 2, 3], [4, 5, 6]], "style": 0.5, "label": "cat"})
    row = [[1, 2, 3, 0, 0, 1, 0.5, 0.5], [4, 5, 6, 0, 0, 1, 0.5, 0.5]]
    assert torch.equal(ways, torch.tensor(row)[:, None].expand(-1, 3, -1))


def test_interpolation_takes_two_steps_and_a_row(echo):
    with pytest.raises(UsageError, match="at least 2 steps"):
        echo(LATENT).interpolate(steps=1)
    with pytest.raises(UsageError):
        echo(LATENT).interpolate(rows=0)


def test_a_run_gives_the_averaged_generator_or_the_last_one(run, zoo, game):
    averaged, last = Sampler(run, zoo), Sampler(run, zoo, averaged=False)
    assert averaged.checkpoint.images == 64
    for name, value in game.networks["generator"].named_parameters():
        assert torch.equal(last.generator.get_parameter(name), value)
        assert torch.equal(averaged.generator.get_parameter(name), value / 2)
    assert averaged.latent == game.latent and averaged.data == game.data
    assert not torch.equal(averaged.sample(2), last.sample(2))


def test_save_load_same_images(run, zoo, game):
    live = deepcopy(game.networks["generator"]).to(memory_format=torch.channels_last)
    preview = Sampler.of(live, game.latent, game.data)
    assert torch.equal(Sampler(run, zoo, averaged=False).sample(70), preview.sample(70))


def test_opening_a_run_leaves_the_global_random_state(run, zoo):
    before = torch.get_rng_state()
    Sampler(run, zoo).sample(1)
    assert torch.equal(before, torch.get_rng_state())


def test_a_run_without_a_checkpoint_is_refused(empty_run, zoo):
    with pytest.raises(RunError, match="no checkpoint"):
        Sampler(empty_run, zoo)


def test_a_checkpoint_of_another_model_is_refused_with_the_first_difference(run, zoo):
    options = run.record.config.options | {"width": 0.2}
    run.update(config=run.record.config.model_copy(update={"options": options}))
    with pytest.raises(RunError, match=r"another model: critic\.\S+ is .* there and .* here; sample it") as caught:
        Sampler(run, zoo)
    assert "\n" not in str(caught.value)


def test_an_option_that_the_model_does_not_have_is_refused(run, zoo):
    options = run.record.config.options | {"widht": 0.2}
    run.update(config=run.record.config.model_copy(update={"options": options}))
    with pytest.raises(UsageError, match="did you mean 'width'"):
        Sampler(run, zoo)


def test_a_model_that_is_not_installed_is_refused(run, zoo):
    run.update(config=run.record.config.model_copy(update={"model": "tinny"}))
    with pytest.raises(UsageError, match="did you mean 'tiny'"):
        Sampler(run, zoo)


def test_damaged_data_in_the_record_are_refused(run, zoo):
    run.update(data={"name": "toys"})
    with pytest.raises(RunError, match=re.escape("run.json") + ".*damaged"):
        Sampler(run, zoo)


def test_a_damaged_newest_checkpoint_is_named_and_the_one_before_used(run, zoo, game):
    tensors = checkpoint.state_of({"generator": game.networks["generator"]})
    newest = checkpoint.save(run, 128, {"averaged": tensors}, {})
    file = newest / "averaged.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.warns(UserWarning, match="averaged.safetensors is not whole.*000000064 instead"):
        sampler = Sampler(run, zoo)
    assert sampler.checkpoint.images == 64


def test_a_device_that_is_not_there_is_refused(run, zoo):
    with pytest.raises(UsageError, match="device 'nonsense'"):
        Sampler(run, zoo, device="nonsense")


def test_a_generator_without_parameters_runs_on_the_cpu(echo):
    assert echo(LATENT).device.type == "cpu"
