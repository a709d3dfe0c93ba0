import CSharedLayouts
@_spi(Begat) import UnixCore

/// The memory in which the places and the rates of a service are counted, for all generations of its listener.
///
/// It contains only what must outlive a listener: how many connections each source has, and the state of the buckets of
/// tokens.  What finds a source quickly is private to each listener, which builds it anew from the sources
/// (`Admission.begin`), so that a listener that is killed at any moment leaves nothing to repair.
///
/// Connections and datagrams have a part each: forged senders of datagrams must not use up the limits of other clients.
public enum AdmissionBook {
  /// The two parts of the book, by the things that they count.
  public enum Part: Hashable, Sendable {
    /// Connections, and starts of programs that accept their clients themselves.
    case connections
    /// Datagrams.
    case datagrams
  }

  /// How many generations of a listener may hold places at the same time, each in a column of its own.
  public static let columnCount = Int(BEGAT_COLUMNS)

  /// Makes the memory object for a service.
  ///
  /// - Parameter maxConnections: the limit of the service; its sources all have room.
  ///
  /// Source: memfd_create(2).
  public static func create(maxConnections: Int) throws(SystemCallError) -> Descriptor {
    let object = try MemoryFile.createSealable(name: "begat-admission", size: size(maxConnections: maxConnections))
    let memory = try MemoryMapping.file(object, size: connectionsOffset + headerSize, writable: true)
    for offset in [0, connectionsOffset] { BookPart.begin(at: memory.unsafeBytes.baseAddress! + offset) }
    return object
  }

  /// Whether an object is an admission book of this version.
  public static func isBook(_ object: borrowing Descriptor) -> Bool {
    do throws(SystemCallError) {
      let size = try MemoryFile.size(of: object)
      guard size >= Self.size(maxConnections: 0) else { return false }
      let memory = try MemoryMapping.file(object, size: size, writable: true)
      return [0, connectionsOffset].allSatisfy { offset in
        BookPart(in: UnsafeMutableRawBufferPointer(rebasing: memory.unsafeBytes[offset...]), column: 0) != nil
      }
    } catch { return false }
  }

  /// Makes a service's memory object larger if a greater limit needs it; listeners that have mapped it are not affected.
  ///
  /// Source: ftruncate(2).
  public static func makeRoom(in object: borrowing Descriptor, maxConnections: Int) throws(SystemCallError) {
    try MemoryFile.grow(object, to: size(maxConnections: maxConnections))
  }

  /// Ends the denials by `deny-time` of all sources that have addresses of the network.  The listener finds that with the
  /// next client.
  ///
  /// - Returns: how many sources were denied.
  public static func pardon(_ network: IPNetwork, in object: borrowing Descriptor) throws(SystemCallError) -> Int {
    let memory = try MemoryMapping.file(object, size: try MemoryFile.size(of: object), writable: true)
    let bytes = UnsafeMutableRawBufferPointer(rebasing: memory.unsafeBytes[connectionsOffset...])
    return BookPart(in: bytes, column: 0)?.pardon(network, now: .now) ?? 0
  }

  static let headerSize = Int(BEGAT_BOOK_HEADER_SIZE)

  /// Datagrams come first, because their part never grows; connections begin at a page.
  static let connectionsOffset = (headerSize + Admission.sourceCapacity * BookPart.sourceSize + 4095) & ~4095

  /// How many sources are remembered: all that have connections, and many more.
  static func capacity(maxConnections: Int) -> Int { max(Admission.sourceCapacity, maxConnections + 1) }

  private static func size(maxConnections: Int) -> Int {
    connectionsOffset + headerSize + capacity(maxConnections: maxConnections) * BookPart.sourceSize
  }
}

/// A set of columns of an admission book.
public struct AdmissionColumns: OptionSet, Hashable, Sendable {
  /// One bit for each column, the lowest for the first.
  public let rawValue: UInt32

  /// The set with these bits.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The set of one column, from 0 to `AdmissionBook.columnCount` - 1.
  public init(_ column: Int) { rawValue = 1 << UInt32(column) }

  /// All columns.
  static let all = AdmissionColumns(rawValue: 1 << UInt32(AdmissionBook.columnCount) - 1)
}

/// One part of an admission book, as a listener sees it: with the listener's column.
struct BookPart {
  private let header: UnsafeMutablePointer<begat_book>
  let sources: UnsafeMutablePointer<begat_source>
  /// How many sources there is room for.
  let capacity: Int
  let column: UInt32

  static let sourceSize = MemoryLayout<begat_source>.stride

  /// The size in bytes with so many sources.
  static func size(capacity: Int) -> Int { AdmissionBook.headerSize + capacity * sourceSize }

  /// How many sources have room in so many bytes.
  static func capacity(size: Int) -> Int { max(0, size - AdmissionBook.headerSize) / sourceSize }

  /// Begins a part: the memory is zeroed.
  static func begin(at start: UnsafeMutableRawPointer) {
    let header = start.assumingMemoryBound(to: begat_book.self)
    header.pointee.magic = UInt32(BEGAT_BOOK_MAGIC)
    header.pointee.version = UInt16(BEGAT_BOOK_VERSION)
    header.pointee.source_size = UInt16(sourceSize)
  }

  /// Opens a part that was begun.
  ///
  /// - Returns: nil for memory that is no book, or one of another version.
  init?(in memory: UnsafeMutableRawBufferPointer, column: Int) {
    guard memory.count >= BookPart.size(capacity: 1), (0..<AdmissionBook.columnCount).contains(column) else {
      return nil
    }
    let start = memory.baseAddress!
    header = start.assumingMemoryBound(to: begat_book.self)
    sources = (start + AdmissionBook.headerSize).assumingMemoryBound(to: begat_source.self)
    capacity = BookPart.capacity(size: memory.count)
    self.column = UInt32(column)
    guard header.pointee.magic == UInt32(BEGAT_BOOK_MAGIC), header.pointee.version == UInt16(BEGAT_BOOK_VERSION),
      header.pointee.source_size == UInt16(BookPart.sourceSize)
    else { return nil }
  }

  // MARK: - The whole service

  /// How many places are taken, by all generations.
  var active: Int { Int(begat_sum(begat_book_active(header))) }
  /// How many places other generations hold.
  var othersActive: Int { active - Int(begat_column(begat_book_active(header), column)) }

  func takePlace() {
    let columns = begat_book_active(header)!
    begat_set_column(columns, column, begat_column(columns, column) &+ 1)
  }

  func givePlaceBack() {
    let columns = begat_book_active(header)!
    let count = begat_column(columns, column)
    if count > 0 { begat_set_column(columns, column, count - 1) }
  }

  var fullAt: Deadline {
    get { Deadline(instant: header.pointee.full_at) }
    nonmutating set { header.pointee.full_at = newValue.instant }
  }

  /// How many sources were ever used.
  var untouched: Int {
    get { min(Int(header.pointee.untouched), capacity) }
    nonmutating set { header.pointee.untouched = UInt32(newValue) }
  }

  /// The prefix by which the sources were made.
  var prefix: SourcePrefix {
    get { SourcePrefix(ipv4: Int(header.pointee.ipv4_prefix), ipv6: Int(header.pointee.ipv6_prefix)) }
    nonmutating set {
      header.pointee.ipv4_prefix = UInt16(newValue.ipv4)
      header.pointee.ipv6_prefix = UInt16(newValue.ipv6)
    }
  }

  /// Takes all places back that the columns' generations held.
  func clear(_ columns: AdmissionColumns) {
    let numbers = (0..<UInt32(AdmissionBook.columnCount)).filter { columns.contains(AdmissionColumns(Int($0))) }
    for column in numbers { begat_set_column(begat_book_active(header), column, 0) }
    for number in 0..<untouched {
      let active = begat_source_active(sources + number)!
      for column in numbers where begat_column(active, column) != 0 { begat_set_column(active, column, 0) }
    }
  }

  /// Ends the denials of sources that have addresses of the network.
  ///
  /// - Returns: how many sources were denied.
  func pardon(_ network: IPNetwork, now: Deadline) -> Int {
    var count = 0
    for number in 0..<untouched where deniedUntil(UInt32(number)) > now {
      let entry = sources + number
      let source = Source(high: entry.pointee.high, low: entry.pointee.low)
      guard let own = source.network(prefix), own.contains(network) || network.contains(own) else { continue }
      entry.pointee.denied_until = 0
      count += 1
    }
    return count
  }

  // MARK: - A source

  /// How many connections a source has, in all generations.
  func active(_ number: UInt32) -> Int { Int(begat_sum(begat_source_active(sources + Int(number)))) }

  func fullAt(_ number: UInt32) -> Deadline { Deadline(instant: sources[Int(number)].full_at) }
  func deniedUntil(_ number: UInt32) -> Deadline { Deadline(instant: sources[Int(number)].denied_until) }
  func forgivenAt(_ number: UInt32) -> Deadline { Deadline(instant: sources[Int(number)].forgiven_at) }

  func begin(_ number: UInt32) {
    let columns = begat_source_active(sources + Int(number))!
    begat_set_column(columns, column, begat_column(columns, column) &+ 1)
  }

  /// - Returns: false if this generation has no connection of the source.
  func end(_ number: UInt32) -> Bool {
    let columns = begat_source_active(sources + Int(number))!
    let count = begat_column(columns, column)
    guard count > 0 else { return false }
    begat_set_column(columns, column, count - 1)
    return true
  }
}
