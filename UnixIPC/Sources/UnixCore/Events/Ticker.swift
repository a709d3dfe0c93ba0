import CPlatform
import Glibc

/// A clock that ticks at a steady pace: its descriptor is readable when a tick has come.
///
/// The timeouts of poll(2) and epoll_wait(2) are too coarse for intervals below a millisecond, and each of them starts
/// late by the delays before it; ticks keep to their time.
///
/// Source: timerfd_create(2).
@_spi(Begat) public struct Ticker: ~Copyable {
  /// The descriptor to watch, readable from a tick until `skipTicks`.
  public let descriptor: Descriptor

  /// Starts the clock; the first tick comes after one interval.
  ///
  /// - Parameter interval: at least a nanosecond.
  public init(every interval: Duration) throws(SystemCallError) {
    let flags = CInt(TFD_CLOEXEC | TFD_NONBLOCK)
    let timer = Descriptor(owning: try check("timerfd_create") { timerfd_create(CLOCK_MONOTONIC, flags) })
    let number = timer.number
    let (seconds, nanoseconds) = max(1, interval.nanoseconds).quotientAndRemainder(dividingBy: 1_000_000_000)
    let pace = timespec(tv_sec: Int(seconds), tv_nsec: Int(nanoseconds))
    var times = itimerspec(it_interval: pace, it_value: pace)
    _ = try check("timerfd_settime", onDescriptor: number) { timerfd_settime(number, 0, &times, nil) }
    descriptor = timer
  }

  /// Takes the ticks that have come, so that the descriptor is readable at the next one.
  ///
  /// - Returns: how many have come since the last call.
  @discardableResult
  public func skipTicks() -> UInt64 {
    var count: UInt64 = 0
    let length = withUnsafeMutableBytes(of: &count) { read(descriptor.number, $0.baseAddress, $0.count) }
    return length == MemoryLayout<UInt64>.size ? count : 0
  }
}
