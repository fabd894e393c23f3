"""From FreeAgent's records to the standard model: pure functions of a payload and the books around it."""
