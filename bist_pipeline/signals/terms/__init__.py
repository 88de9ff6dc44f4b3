"""The terms of the signal, one small file per sub-signal; a module defines terms or starts with an underscore."""
