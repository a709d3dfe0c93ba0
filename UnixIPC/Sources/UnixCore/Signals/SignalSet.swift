import CPlatform
import Glibc

/// A set of signals.
///
/// What is no signal, and the two that the C library keeps for itself, cannot be put in.
///
/// Source: sigsetops(3).
public struct SignalSet: Sendable {
  package var native = sigset_t()

  public init() { sigemptyset(&native) }

  public init(_ signals: Signal...) {
    self.init()
    for signal in signals { insert(signal) }
  }

  /// Every signal that can be blocked.
  public static var all: SignalSet {
    var set = SignalSet()
    sigfillset(&set.native)
    return set
  }

  public func contains(_ signal: Signal) -> Bool {
    withUnsafePointer(to: native) { sigismember($0, signal.rawValue) == 1 }
  }

  /// The kernel's part of the C library's much bigger set, signal 1 in the lowest bit.
  var bits: UInt64 {
    get { withUnsafeBytes(of: native) { $0.load(as: UInt64.self) } }
    set { withUnsafeMutableBytes(of: &native) { $0.storeBytes(of: newValue, as: UInt64.self) } }
  }
}

extension SignalSet: SetAlgebra {
  public typealias Element = Signal

  public static func == (one: SignalSet, other: SignalSet) -> Bool { one.bits == other.bits }

  @discardableResult
  public mutating func insert(_ signal: Signal) -> (inserted: Bool, memberAfterInsert: Signal) {
    let before = bits
    sigaddset(&native, signal.rawValue)
    return (bits != before, signal)
  }

  @discardableResult
  public mutating func remove(_ signal: Signal) -> Signal? {
    let before = bits
    sigdelset(&native, signal.rawValue)
    return bits != before ? signal : nil
  }

  @discardableResult
  public mutating func update(with signal: Signal) -> Signal? { insert(signal).inserted ? nil : signal }

  public mutating func formUnion(_ other: SignalSet) { bits |= other.bits }
  public mutating func formIntersection(_ other: SignalSet) { bits &= other.bits }
  public mutating func formSymmetricDifference(_ other: SignalSet) { bits ^= other.bits }

  public func union(_ other: SignalSet) -> SignalSet { changed { $0.formUnion(other) } }
  public func intersection(_ other: SignalSet) -> SignalSet { changed { $0.formIntersection(other) } }
  public func symmetricDifference(_ other: SignalSet) -> SignalSet { changed { $0.formSymmetricDifference(other) } }

  private func changed(_ change: (inout SignalSet) -> Void) -> SignalSet {
    var set = self
    change(&set)
    return set
  }
}

extension SignalSet: Sequence {
  /// From the lowest number to the highest.
  public func makeIterator() -> some IteratorProtocol<Signal> {
    let bits = self.bits
    return (1...64 as ClosedRange<CInt>).lazy.filter { bits >> UInt64($0 - 1) & 1 == 1 }
      .map { Signal(rawValue: $0) }.makeIterator()
  }

  public var count: Int { bits.nonzeroBitCount }
}

extension SignalSet: CustomStringConvertible {
  /// "SIGHUP SIGTERM"
  public var description: String { map(\.description).joined(separator: " ") }
}
