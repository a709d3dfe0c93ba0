@_spi(Begat) import UnixCore

/// What this process was told about signals when it was started.
enum StartSignals {
  /// Those it was told to ignore, as nohup(1) and a shell's `&` do, for itself and whatever it starts; never SIGCHLD, which
  /// no program means that inherits it so.
  ///
  /// They are looked at when this is first asked for, which `CommandRun` does before anything here changes some.
  static let ignored = SignalSet.ignored.subtracting(SignalSet(.child))
}
