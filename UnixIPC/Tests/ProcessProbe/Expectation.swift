import Glibc
@_spi(Begat) import UnixCore
import UnixIPC

/// What was wrong.
struct Wrong: Error, CustomStringConvertible {
  let description: String
}

func expect(_ condition: Bool, _ otherwise: @autoclosure () -> String) throws(Wrong) {
  if !condition { throw Wrong(description: otherwise()) }
}

func expectEqual<Value: Equatable>(_ found: Value, _ expected: Value, _ what: String) throws(Wrong) {
  try expect(found == expected, "\(what): \(found), expected \(expected)")
}

/// Why the body failed; nil when it did not.
func failure<Value: ~Copyable, Failure: Error>(of body: () throws(Failure) -> Value) -> Failure? {
  do throws(Failure) {
    _ = try body()
    return nil
  } catch { return error }
}

func say(_ text: String) { Descriptor.withBorrowed(STDOUT_FILENO) { try? $0.writeAll(text + "\n") } }

/// Runs the body in a forked process, whose exit status it returns.
func forked(exitSignal: Signal = .child, body: () throws -> CInt) throws -> pid_t {
  switch try ForkedProcess.fork(exitSignal: exitSignal) {
  case .child: ProcessControl.exitImmediately(status: (try? body()) ?? 99)
  case .parent(let child): return child
  }
}

/// How a process ended that runs the body.
func end(_ body: () throws -> CInt) throws -> ExitStatus { try Children.wait(for: forked(body: body)) }

/// Waits for as many bytes, or the end of the file.
func readBytes(_ count: Int, from descriptor: borrowing Descriptor) throws -> [UInt8] {
  var bytes: [UInt8] = []
  try withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { room in
    while bytes.count < count {
      let part = UnsafeMutableRawBufferPointer(rebasing: room[..<min(room.count, count - bytes.count)])
      let length = try descriptor.read(into: part)
      if length == 0 { return }
      bytes += part[..<length]
    }
  }
  return bytes
}

/// The text of a file of /proc.
func contents(_ path: String) throws -> String {
  try String(decoding: readBytes(.max, from: Descriptor.open(path, .readOnly)), as: UTF8.self)
}

/// The value of a line of /proc/self/status.
func status(_ name: String) throws -> String {
  for line in try contents("/proc/self/status").split(separator: "\n") where line.hasPrefix(name + ":") {
    return line.dropFirst(name.count + 1).split { $0 == "\t" || $0 == " " }.joined(separator: " ")
  }
  throw Wrong(description: "/proc/self/status has no \(name)")
}

/// A script for the shell.
func shell(_ script: String) -> Program {
  Program(path: "/bin/sh", arguments: ["-c", script], environment: ["PATH=/usr/bin:/bin", "TERM=dumb"])
}

func text(_ bytes: [UInt8]?) -> String? { bytes.map { String(decoding: $0, as: UTF8.self) } }
