"""Other programs that analyse music, as yardsticks: none of their code is used in Segue."""
