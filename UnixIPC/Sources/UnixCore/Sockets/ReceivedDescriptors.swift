import CPlatform
import Glibc

/// Descriptors that a peer passed, in the order in which it named them.
///
/// Those that nobody takes are closed with this value.
public struct ReceivedDescriptors: ~Copyable, Sendable {
  private let numbers: [CInt]
  private var taken = 0

  init(owning numbers: [CInt]) { self.numbers = numbers }

  deinit { for number in numbers[taken...] { _ = Descriptor(owning: number) } }

  /// How many are left.
  public var count: Int { numbers.count - taken }
  public var isEmpty: Bool { count == 0 }

  /// Hands over the next one; nil when none is left.
  public mutating func take() -> Descriptor? {
    guard taken < numbers.count else { return nil }
    taken += 1
    return Descriptor(owning: numbers[taken - 1])
  }
}

/// What came in one piece: bytes, and the descriptors that were passed with them.
@frozen public struct ReceivedMessage: ~Copyable {
  /// How many bytes are in the buffer; 0 is the end of a stream.
  public let count: Int
  /// Whether a datagram was longer than the buffer; the rest is lost.
  public let isTruncated: Bool
  public var descriptors: ReceivedDescriptors

  init(count: Int, isTruncated: Bool, descriptors: consuming ReceivedDescriptors) {
    self.count = count
    self.isTruncated = isTruncated
    self.descriptors = descriptors
  }
}
