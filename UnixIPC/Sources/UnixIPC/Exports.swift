// One import is enough for a program: what this module is made of belongs to it.
@_exported import UnixCore
