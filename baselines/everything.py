"""The union of all candidate tracks, whatever the expression says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rvosbench.contracts import MethodIdentity, MethodSpec
from rvosbench.masks import union
from rvosbench.records import Json, MethodCard, Prediction, Sample
from rvosbench.tracks.candidates import PRESETS, CandidateConfig
from rvosbench.tracks.source import TrackSource, identify_tracks, open_tracks


@dataclass(frozen=True)
class Everything:
    """Answers every expression with all tracks that may serve it."""

    source: TrackSource

    def predict(self, sample: Sample) -> Mapping[str, Prediction]:
        """Expression id -> union of its candidate tracks; empty masks if there is none."""
        video, tracks = sample.video, self.source.tracks(sample)
        return {
            e.id: Prediction(
                union([t.masks for t in tracks if t.serves(e.id)], len(video), video.size),
                diagnostics={"tracks": [t.id for t in tracks if t.serves(e.id)]},
            )
            for e in sample.expressions
        }

    def provenance_of(self, videos: Sequence[str]) -> Mapping[str, Json]:
        """What decides the tracks of some videos."""
        return self.source.provenance(videos)


def _identify(config: CandidateConfig, device: str, videos: Sequence[str]) -> MethodIdentity | None:
    tracks = identify_tracks(config, device, videos)
    return None if tracks is None else MethodIdentity(tracks, SPEC.card)


SPEC = MethodSpec(
    config_type=CandidateConfig,
    build=lambda config, device: Everything(open_tracks(config, device)),
    identify=_identify,
    card=MethodCard("All candidate tracks", backbone="SAM2", trainable_parameters=0),
    presets=PRESETS,
)
