import ArgumentParser
@_spi(Begat) import UnixCore

/// What shells offer for arguments, by the means of the machine itself.
///
/// A shell runs these commands, and shells differ: each is one that all of them understand.
extension CompletionKind {
  static let hosts = shellCommand("getent hosts | awk '{ for (i = 2; i <= NF; i++) print $i }'")
  static let ports = shellCommand("getent services | awk '{ print $1 }' | sort -u")
  /// Those of the configuration that begatd would read.
  static let services = shellCommand(
    "begat check 2> /dev/null | awk '$1 == \"SERVICE\" { table++; next } table && /^$/ { exit } "
      + "table && /^[^ ]/ { print $1 }'")
  /// Those of the begatd that runs.
  static let runningServices = shellCommand(
    "env COLUMNS= begat status 2> /dev/null | awk '$1 == \"SERVICE\" { table++; next } /^$/ { table = 0 } "
      + "table && /^[^ ]/ { print $1 }'")
  static let connections = shellCommand("env COLUMNS= begat ps 2> /dev/null | awk 'NR > 1 { print $1 }'")
  static let users = shellCommand("getent passwd | cut -d: -f1")
  static let variables = shellCommand("env | sed -n 's/^\\([A-Za-z_][A-Za-z0-9_]*\\)=.*/\\1/p'")
  static let processes = shellCommand("ps -eo pid= | tr -d ' '")
  static let sharedMemory = shellCommand("ipcs -m | awk '$2 ~ /^[0-9]+$/ { print $2 }'")
  /// The programs of PATH.
  static let commands = shellCommand("sh -c 'IFS=:; find $PATH -maxdepth 1 -executable -printf \"%f\\n\"' | sort -u")
  static let signals = list(Signal.all.flatMap { [$0.name] + $0.aliases })
}
