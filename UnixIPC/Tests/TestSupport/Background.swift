import Glibc

/// A body that runs in a thread of its own, beside the test's: the other side of whatever waits.
package final class Background: @unchecked Sendable {
  private let body: @Sendable () -> Void
  private var thread = pthread_t()
  private var hasJoined = false

  package init(_ body: @escaping @Sendable () -> Void) {
    self.body = body
    let entry: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
      if let context { Unmanaged<Background>.fromOpaque(context).takeRetainedValue().body() }
      return nil
    }
    let result = pthread_create(&thread, nil, entry, Unmanaged.passRetained(self).toOpaque())
    precondition(result == 0, "pthread_create: \(result)")
  }

  /// Waits for the body's end.
  package func join() {
    guard !hasJoined else { return }
    hasJoined = true
    pthread_join(thread, nil)
  }

  /// Lets the body end by itself.
  package func detach() {
    hasJoined = true
    pthread_detach(thread)
  }
}
