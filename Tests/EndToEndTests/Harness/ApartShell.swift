import Foundation
import Testing
@_spi(Begat) import UnixCore

/// Runs a script of bash in a directory of the test's, with the programs under test in PATH, on a machine where nothing of
/// begat was configured: a network, processes and System V objects of its own, and nothing of what the machine has in /run,
/// /srv and /etc/begat.  Needs root.
func runApart(
  _ script: String, in directory: TemporaryDirectory, sourceLocation: SourceLocation = #_sourceLocation
) throws {
  let prelude = """
    unset RUNTIME_DIRECTORY
    set -u
    ip link set lo up
    for place in /run /srv /etc/begat; do [ ! -d $place ] || mount -t tmpfs tmpfs $place; done
    cd "$1"
    export PATH="$2:$PATH"

    """
  let programs = URL(fileURLWithPath: try Programs.begat()).deletingLastPathComponent().path
  let shell = try RunningProgram.run(
    try Programs.tool("unshare"),
    [
      "--net", "--mount", "--ipc", "--pid", "--fork", "--mount-proc", "--kill-child", "bash",
      try directory.write(prelude + script, to: "script"), directory.path, programs,
    ], within: .seconds(180))
  #expect(
    shell.status == .exited(code: 0) && shell.errors.text == "", "\(shell.errors.text)", sourceLocation: sourceLocation)
}
