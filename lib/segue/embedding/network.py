"""The network as PyTorch trains it, and its loss."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from segue.embedding.lesson import NONE, Lesson
from segue.embedding.weights import Weights

_START = 0.3
"""Length of the first directions: short ones are soon outweighed by what is learned."""
_SEEN = 10_000
"""Tracks at most, drawn at random, that the principal directions are taken from."""


class Network(nn.Module):
    """y = A x + C gelu(B x + b) on the unit sphere, and centres there for artists and genres.

    A begins as the first principal directions, so that the untrained network compares tracks by their
    principal components; C begins at zero.

    Parameters
    ----------
    directions
        float[e, d]: the principal directions.
    hidden
        Width h of the second branch, 0 for none.
    centres
        How many.
    scale
        What the features are multiplied by so that their mean square is 1.
    """

    def __init__(self, directions: np.ndarray, hidden: int, centres: int, scale: float) -> None:
        super().__init__()
        e, d = directions.shape
        self.scale = scale
        self.linear = nn.Parameter(torch.tensor(_START * directions, dtype=torch.float32))
        # Parameters of a branch that is not there would wait for gradients that never come.
        used = hidden > 0
        self.inner = nn.Parameter(torch.randn(hidden, d) / d**0.5, requires_grad=used)
        self.bias = nn.Parameter(torch.zeros(hidden), requires_grad=used)
        self.outer = nn.Parameter(torch.zeros(e, hidden), requires_grad=used)
        self.centres = nn.Parameter(torch.zeros(centres, e))

    def embed(self, features: torch.Tensor, kept: torch.Tensor | None = None) -> torch.Tensor:
        """Return float32[b, e]: unit vectors; ``kept`` are the factors of dropout, float32[b, d + h]."""
        x = features * self.scale
        d = x.shape[1]
        if kept is not None:
            x = x * kept[:, :d]
        y = x @ self.linear.T
        if len(self.bias):
            inside = functional.gelu(x @ self.inner.T + self.bias, approximate="tanh")
            y = y + (inside if kept is None else inside * kept[:, d:]) @ self.outer.T
        return functional.normalize(y, dim=1)

    def forward(self, features: torch.Tensor, kept: torch.Tensor | None = None) -> torch.Tensor:
        """Return float32[b, c]: the cosine of each track with each centre."""
        return self.embed(features, kept) @ functional.normalize(self.centres, dim=1).T

    def weights(self) -> Weights:
        """Return what numpy needs to embed, as copies."""
        with torch.no_grad():
            parts = (self.scale * self.linear, self.scale * self.inner, self.bias, self.outer)
            return Weights(*(part.detach().cpu().numpy().copy() for part in parts))


def first_network(lesson: Lesson, dimensions: int, hidden: int, seed: int) -> Network:
    """Return an untrained network for a lesson; each centre stands amid its tracks."""
    from segue.models.projection import principal_components

    torch.manual_seed(seed)
    features = lesson.features
    seen = np.random.default_rng(seed).permutation(len(features))[:_SEEN]
    directions = principal_components(features[np.sort(seen)], dimensions).directions
    power = float(np.mean(np.square(features, dtype=np.float64)))
    network = Network(directions, hidden, lesson.members.shape[1], power**-0.5 if power else 1.0)
    rows = network.weights().embed(features)
    centres = np.zeros(tuple(network.centres.shape), dtype=np.float32)
    artists, genres = lesson.artist_labels, lesson.genre_labels
    np.add.at(centres, artists[artists != NONE], rows[artists != NONE])
    np.add.at(centres, len(centres) - len(lesson.members) + genres[genres != NONE], rows[genres != NONE])
    with torch.no_grad():
        network.centres.copy_(functional.normalize(torch.tensor(centres), dim=1))
    return network


class ProxyLoss:
    """How unlikely the centres make the genres and artists of some tracks.

    With s_c the cosine of a track with centre c and t the temperature, an artist has the probability
    softmax(s / t) among all artists (normalised softmax, Zhai and Wu 2019), and a genre G with the centres
    C_G of its artists and of its own

        p(G) = m_G / sum_H m_H,   m_G = 1 / |C_G| sum_{c in C_G} exp(s_c / t)

    (several centres a class, as in SoftTriple, Qian et al. 2019, here known from the artists). The loss is
    the mean of -log p(genre) over tracks with a genre, and ``artist_weight`` times that of -log p(artist).
    """

    def __init__(
        self, lesson: Lesson, temperature: float, artist_weight: float, device: torch.device
    ) -> None:
        self.members = torch.tensor(lesson.members, dtype=torch.float32, device=device)
        self.artists = self.members.shape[1] - self.members.shape[0]
        self.temperature = temperature
        self.artist_weight = artist_weight

    def __call__(
        self, cosines: torch.Tensor, genres: torch.Tensor, artists: torch.Tensor, counts: tuple[int, int]
    ) -> torch.Tensor:
        """Return these tracks' part of a batch's loss.

        Parameters
        ----------
        cosines
            float32[b, c], as the network gives them.
        genres, artists
            int64[b], `NONE` where unknown.
        counts
            How many tracks of the whole batch have a genre and an artist; parts of a batch add up then.
        """
        logits = cosines / self.temperature
        # Cosines and temperatures from 0.03 keep exp within float32 once the greatest is taken out.
        mass = torch.exp(logits - logits.max(dim=1, keepdim=True).values.detach())
        of_genres = torch.log(mass @ self.members.T / self.members.sum(dim=1))
        by_genre = functional.cross_entropy(of_genres, genres, ignore_index=NONE, reduction="sum")
        loss = by_genre / max(counts[0], 1)
        if self.artist_weight and self.artists:
            own = logits[:, : self.artists]
            by_artist = functional.cross_entropy(own, artists, ignore_index=NONE, reduction="sum")
            loss = loss + self.artist_weight * by_artist / max(counts[1], 1)
        return loss
