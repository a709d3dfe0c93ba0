import Foundation
import Glibc
@_spi(Begat) import UnixCore

/// begatd and its listener in a directory of a test's own, where other files take their places.
final class Installation {
  let directory: TemporaryDirectory
  let begatd: String
  let listener: String

  init() throws {
    directory = try TemporaryDirectory()
    try directory.make("bin")
    begatd = directory.path("bin/begatd")
    listener = directory.path("bin/begat-listener")
    try renew()
  }

  /// Installs both programs anew, as a package does it: other files take their names.
  func renew() throws {
    for (source, target) in [(try Programs.begatd(), begatd), (try Programs.listener(), listener)] {
      _ = try RunningProgram.tool("cp", [source, target + ".new"])
      guard rename(target + ".new", target) == 0 else { throw HarnessFailure("rename: errno \(errno)") }
    }
  }

  /// Installs something else as begatd.
  func replaceBegatd(by text: String, mode: mode_t = 0o755) throws {
    try directory.write(text, to: "bin/begatd.new", mode: mode)
    guard rename(begatd + ".new", begatd) == 0 else { throw HarnessFailure("rename: errno \(errno)") }
  }

  /// Installs a program that passes the trial of an upgrade, and executes commands before it goes on.
  func wrapBegatd(_ commands: String) throws {
    try replaceBegatd(
      by: """
        #!/bin/bash
        case " $* " in *" --trial "*) exec "\(try Programs.begatd())" "$@" ;; esac
        \(commands)
        exec "\(try Programs.begatd())" "$@"

        """)
  }

  /// Commands that close the table of bans, without which a new program cannot go on.
  static let losingBans =
    "for f in /proc/self/fd/*; do case $(readlink $f) in /memfd:begat-bans*) n=${f##*/}; eval \"exec $n>&-\";; esac; done"

  func daemon(
    _ configuration: String, environment: [String] = [], wrapper: [String] = [], options: [String] = []
  ) throws -> Daemon {
    try Daemon(
      configuration, in: directory, environment: environment, wrapper: wrapper, begatd: begatd, options: options)
  }

  /// Asks the running begatd for an upgrade, and waits for its answer.
  func upgrade() throws -> RunningProgram {
    try RunningProgram.run(
      try Programs.begat(), ["upgrade", "--control", directory.path("run/control")], within: .seconds(60))
  }
}
