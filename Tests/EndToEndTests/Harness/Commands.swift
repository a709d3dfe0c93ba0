import Foundation
@_spi(Begat) import UnixCore
@_spi(Begat) import UnixIPC

/// Runs a command of begat to its end.
func runBegat(_ arguments: String..., input: RunningProgram.Input = .nothing) throws -> RunningProgram {
  try RunningProgram.run(try Programs.begat(), arguments, input: input)
}

/// A command of begat that goes on.
func startBegat(_ arguments: String..., input: RunningProgram.Input = .nothing) throws -> RunningProgram {
  try RunningProgram(try Programs.begat(), arguments, input: input)
}

/// A script of Perl that goes on, with `$ARGV[0]` and so on.
func startPerl(_ script: String, _ words: String..., input: RunningProgram.Input = .nothing) throws -> RunningProgram {
  try RunningProgram(try Programs.tool("perl"), ["-e", script] + words, input: input)
}

/// The command of a Perl whose handlers run when the signal comes.
///
/// Usually they run between two steps of the script: a signal in the moment before it waits is handled when the wait ends.
/// Here a handler may interrupt any step, and so must neither `print` nor `exit`: `syswrite` and `POSIX::_exit` keep no
/// state.
let signalledPerl = ["env", "PERL_SIGNALS=unsafe", "perl"]

/// The same to its end, which must be a good one.
func runPerl(_ script: String, _ words: String...) throws -> String {
  try RunningProgram.tool("perl", ["-e", script] + words).output.text
}

/// The JSON that a program printed.
func json<Value>(_ program: RunningProgram, as type: Value.Type = Value.self) throws -> Value {
  let value = try JSONSerialization.jsonObject(with: Data(program.output.bytes))
  guard let value = value as? Value else { throw HarnessFailure("not \(type): \(program.output.text)") }
  return value
}

/// A key of System V objects that one test has; what it made with it is removed at the end.
final class OwnKey {
  let key = SystemVKey(rawValue: .random(in: 1_000_000 ... .max))

  deinit {
    try? SemaphoreSet.open(key, owner: nil, awaitsValues: false).remove()
    try? SharedMemorySegment.open(key, owner: nil).remove()
  }

  /// As arguments have it.
  var text: String { "\(key.rawValue)" }
}

/// A wrapper for a command line: the shell's `"$0" "$@"`.
func shell(_ text: String) -> [String] { ["/bin/sh", "-c", text] }
