/// Open descriptors in an order, all owned by the list, which closes those that are not taken.
///
/// For descriptors that go together: those that a peer passed with a message, those that a service manager opened, those
/// that a program is given beyond its standard streams.
///
///     var list = DescriptorList()
///     list.append(consume file)                  // the list owns it from now on
///     try list.append(duplicateOf: socket)       // the caller keeps its own
///     while let descriptor = list.takeFirst() { … }
public struct DescriptorList: ~Copyable, Sendable {
  /// Those before `start` have been taken.
  private var numbers: [CInt]
  private var start = 0

  /// Creates an empty list.
  public init() { numbers = [] }

  /// Creates a list of one descriptor.
  public init(_ descriptor: consuming Descriptor) { numbers = [descriptor.release()] }

  /// Takes over open descriptors by their numbers: from now on the list closes them.
  ///
  /// - Parameter numbers: open, each named once, and owned by nothing else in this process.
  public init(owning numbers: [CInt]) { self.numbers = numbers }

  deinit { for number in numbers[start...] { _ = Descriptor(owning: number) } }

  /// The number of descriptors in the list.
  public var count: Int { numbers.count - start }

  /// Whether the list has no descriptor.
  public var isEmpty: Bool { count == 0 }

  /// Adds a descriptor at the end, and owns it from now on.
  public mutating func append(_ descriptor: consuming Descriptor) { numbers.append(descriptor.release()) }

  /// Adds a duplicate of a descriptor at the end; the caller's own stays open.
  ///
  /// Source: fcntl(2), F_DUPFD_CLOEXEC.
  public mutating func append(duplicateOf descriptor: borrowing Descriptor) throws(SystemCallError) {
    numbers.append(try descriptor.duplicate().release())
  }

  /// Removes the first descriptor and hands it over; nil when the list is empty.
  public mutating func takeFirst() -> Descriptor? { isEmpty ? nil : take(at: 0) }

  /// Removes the descriptor at an index and hands it over; those behind it move forward by one.
  ///
  /// - Precondition: `index` is at least 0 and less than `count`.
  public mutating func take(at index: Int) -> Descriptor {
    precondition(index >= 0 && index < count, "a list of \(count) descriptors has none at \(index)")
    guard index > 0 else {
      start += 1
      return Descriptor(owning: numbers[start - 1])
    }
    return Descriptor(owning: numbers.remove(at: start + index))
  }

  /// Lends the descriptor at an index to the body; it stays in the list.
  ///
  /// - Precondition: `index` is at least 0 and less than `count`.
  public borrowing func withDescriptor<Result: ~Copyable, Failure: Error>(
    at index: Int, _ body: (borrowing Descriptor) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    precondition(index >= 0 && index < count, "a list of \(count) descriptors has none at \(index)")
    return try Descriptor.withBorrowed(numbers[start + index], body)
  }

  /// The numbers of the descriptors, in their order, which stay the list's own.
  package var descriptorNumbers: ArraySlice<CInt> { numbers[start...] }

  /// Hands the numbers over, in their order, still open; closing them is now the caller's duty.
  public consuming func release() -> [CInt] {
    let released = Array(numbers[start...])
    start = numbers.count
    return released
  }
}
