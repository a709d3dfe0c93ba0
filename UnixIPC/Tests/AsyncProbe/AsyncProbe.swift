import Glibc
import UnixCore
import UnixIPCTestSupport

/// A program whose `main` is asynchronous: its first thread is parked with an empty mask, by other code.
///
/// Exits 0 when each way of taking a signal takes the SIGTERM that a child sends, and 1 or by the signal otherwise.
@main struct AsyncProbe {
  static func main() async throws {
    let signals = try SignalDescriptor([.terminate])
    let start = Deadline(after: .seconds(20))

    // In a task that looks from time to time.
    try sendFromOutside()
    var arrival = signals.take()
    while arrival == nil, !start.isExpired {
      await Task.yield()
      arrival = signals.take()
    }
    guard arrival?.signal == .terminate else { return fail("a task got \(arrival as Any)") }

    // In a thread of its own, and ended by the cancellation of its task.
    let waiter = Waiter(signals)
    try sendFromOutside()
    guard try await waiter.next()?.signal == .terminate else { return fail("a thread got nothing") }
    let task = Task { try await waiter.next() == nil }
    task.cancel()
    guard try await task.value else { return fail("a cancelled wait got something") }
  }

  private static func sendFromOutside() throws {
    let status = try Program(path: "/bin/sh", arguments: ["-c", "kill -TERM $PPID"]).spawn().waitForExit()
    guard status.isSuccess else { return fail("\(status)") }
  }

  private static func fail(_ text: String) {
    print(text)
    exit(1)
  }
}

final class Waiter: Sendable {
  private let signals: SignalDescriptor

  init(_ signals: consuming SignalDescriptor) { self.signals = signals }

  func next() async throws -> SignalArrival? {
    let cancellation = try Cancellation()
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        Background { [self] in continuation.resume(returning: signals.next(cancelledBy: cancellation)) }.detach()
      }
    } onCancel: {
      cancellation.cancel()
    }
  }
}
