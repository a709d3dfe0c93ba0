import Foundation
@_spi(Begat) import UnixCore

/// What programs write to a pipe, gathered as it comes by a thread, so that nobody waits for the test to read.
final class CollectedOutput: @unchecked Sendable {
  private let condition = NSCondition()
  private var gathered: [UInt8] = []
  private var isAtEnd = false

  init(reading pipe: consuming Descriptor) {
    let number = pipe.release()
    Thread.detachNewThread { [self] in
      let pipe = Descriptor(owning: number)
      var chunk = [UInt8](repeating: 0, count: 65_536)
      while let count = try? chunk.withUnsafeMutableBytes({ try pipe.read(into: $0) }), count > 0 {
        change { gathered += chunk[..<count] }
      }
      change { isAtEnd = true }
    }
  }

  private func change(_ body: () -> Void) {
    condition.lock()
    body()
    condition.broadcast()
    condition.unlock()
  }

  var bytes: [UInt8] {
    condition.lock()
    defer { condition.unlock() }
    return gathered
  }

  var text: String { Machine.leavingOutGaps(String(decoding: bytes, as: UTF8.self)) }
  var lines: [String] { text.split(separator: "\n").map(String.init) }

  func lines(containing part: String) -> [String] { lines.filter { $0.contains(part) } }

  /// Waits for the moment when no process has the other end open any more; false after the time.
  func awaitEnd(within limit: Duration) -> Bool { wait(within: limit) { isAtEnd } }

  /// Waits until what was written so far is enough; false after the time or when nothing more can come.
  func wait(within limit: Duration, until isEnough: (String) -> Bool) -> Bool {
    var isMet = false
    _ = wait(within: limit) {
      isMet = isEnough(String(decoding: gathered, as: UTF8.self))
      return isMet || isAtEnd
    }
    return isMet
  }

  /// Waits for so many lines with this part, and returns them.
  @discardableResult
  func awaitLines(_ count: Int = 1, containing part: String, within limit: Duration = .seconds(10)) throws -> [String] {
    let isMet = wait(within: limit) { text in
      text.split(separator: "\n").count { $0.contains(part) } >= count && text.hasSuffix("\n")
    }
    guard isMet else {
      throw HarnessFailure("\(count) lines with “\(part)” did not come within \(limit); what came:\n\(text)")
    }
    return lines(containing: part)
  }

  private func wait(within limit: Duration, _ isMet: () -> Bool) -> Bool {
    let end = Date(timeIntervalSinceNow: Double(limit.milliseconds) / 1000)
    condition.lock()
    defer { condition.unlock() }
    while !isMet() { if !condition.wait(until: end) { return isMet() } }
    return true
  }
}
