import CPlatform
import Glibc

/// A set of signals.
///
/// Numbers that are no signal are never members, nor are the two that the C library keeps for itself, nor `SIGRTMAX`, which
/// this library keeps for `withDeadline`: inserting one of them has no effect.
///
/// Source: sigsetops(3).
public struct SignalSet: Sendable {
  package var native = sigset_t()

  /// Creates an empty set.
  public init() { sigemptyset(&native) }

  /// Creates a set of some signals.
  public init(_ signals: Signal...) {
    self.init()
    for signal in signals { insert(signal) }
  }

  /// Every signal that a program may block; SIGKILL and SIGSTOP are members, though the kernel never blocks them.
  public static var all: SignalSet { SignalSet(Signal.all) }

  /// Whether the signal is in the set.
  public func contains(_ signal: Signal) -> Bool {
    !signal.interruptsCalls && withUnsafePointer(to: native) { sigismember($0, signal.rawValue) == 1 }
  }

  /// The kernel's part of the C library's much bigger set, signal 1 in the lowest bit.
  var bits: UInt64 {
    get { withUnsafeBytes(of: native) { $0.load(as: UInt64.self) } & ~SignalSet.interrupting }
    set { withUnsafeMutableBytes(of: &native) { $0.storeBytes(of: newValue, as: UInt64.self) } }
  }

  private static var interrupting: UInt64 { 1 << UInt64(Signal.lastRealTime - 1) }
}

extension SignalSet: SetAlgebra {
  /// A member of the set.
  public typealias Element = Signal

  /// Whether both sets have the same members.
  public static func == (one: SignalSet, other: SignalSet) -> Bool { one.bits == other.bits }

  /// Puts a signal into the set.
  ///
  /// - Returns: whether the set has a new member.
  @discardableResult
  public mutating func insert(_ signal: Signal) -> (inserted: Bool, memberAfterInsert: Signal) {
    let before = bits
    if !signal.interruptsCalls { sigaddset(&native, signal.rawValue) }
    return (bits != before, signal)
  }

  /// Takes a signal out of the set.
  ///
  /// - Returns: the signal, or nil if it was not a member.
  @discardableResult
  public mutating func remove(_ signal: Signal) -> Signal? {
    let before = bits
    sigdelset(&native, signal.rawValue)
    return bits != before ? signal : nil
  }

  /// Puts a signal into the set.
  ///
  /// - Returns: the signal, or nil if it was not a member before.
  @discardableResult
  public mutating func update(with signal: Signal) -> Signal? { insert(signal).inserted ? nil : signal }

  /// Adds the members of another set.
  public mutating func formUnion(_ other: SignalSet) { bits |= other.bits }
  /// Keeps only the members that are in another set too.
  public mutating func formIntersection(_ other: SignalSet) { bits &= other.bits }
  /// Keeps the signals that are in one of both sets only.
  public mutating func formSymmetricDifference(_ other: SignalSet) { bits ^= other.bits }

  /// The signals that are in this set or in the other one.
  public func union(_ other: SignalSet) -> SignalSet { changed { $0.formUnion(other) } }
  /// The signals that are in both sets.
  public func intersection(_ other: SignalSet) -> SignalSet { changed { $0.formIntersection(other) } }
  /// The signals that are in one of both sets only.
  public func symmetricDifference(_ other: SignalSet) -> SignalSet { changed { $0.formSymmetricDifference(other) } }

  private func changed(_ change: (inout SignalSet) -> Void) -> SignalSet {
    var set = self
    change(&set)
    return set
  }
}

extension SignalSet: Sequence {
  /// Iterates from the lowest number to the highest.
  public func makeIterator() -> some IteratorProtocol<Signal> {
    let bits = self.bits
    return (1...64 as ClosedRange<CInt>).lazy.filter { bits >> UInt64($0 - 1) & 1 == 1 }
      .map { Signal(rawValue: $0) }.makeIterator()
  }

  /// The number of members.
  public var count: Int { bits.nonzeroBitCount }
}

extension SignalSet: CustomStringConvertible {
  /// The names of the members, such as "SIGHUP SIGTERM".
  public var description: String { map(\.description).joined(separator: " ") }
}
