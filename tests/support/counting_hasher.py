"""A quick way to hash passwords that tells how often one was wrong."""

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError


class CountingHasher(PasswordHasher):
    """Argon2 with small parameters that counts the passwords it found wrong."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.wrong = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> bool:
        try:
            return super().verify(hash, password)
        except VerifyMismatchError:
            self.wrong += 1
            raise
