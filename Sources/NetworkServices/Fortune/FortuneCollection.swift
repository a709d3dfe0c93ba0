import Glibc
import UnixIPC

/// Fortunes to choose from, in memory that forked processes share and none of them can change for the others.
///
/// Texts and index lie outside the heap, so that forking does not copy them, and are a copy of the files: a file that
/// shrinks later cannot hurt.
public final class FortuneCollection: Sendable {
  /// One fortune, by its place in the index.
  struct Entry {
    /// In bytes, into the texts.
    var start: UInt64
    var length: UInt32
    /// The length as sent: CRLF at every line's end.  The index is in ascending order of it.
    var sentLength: UInt32
    var isRotated: Bool
  }

  private let texts: MemoryMapping
  private let index: MemoryMapping
  /// How many fortunes there are to choose from; at least one.
  public let count: Int

  /// - Parameter texts: the databases' texts.
  /// - Parameter index: room for at least `count` entries, which begin it.
  init(texts: consuming MemoryMapping, index: consuming MemoryMapping, count: Int) throws(CallFailure) {
    precondition(count > 0, "an empty collection has nothing to tell")
    var entries = UnsafeMutableBufferPointer(rebasing: index.bytes.bindMemory(to: Entry.self)[..<count])
    entries.sort { $0.sentLength < $1.sentLength }
    // Not just protected: a process that serves a hostile client could be made to take the protection off.
    self.texts = try MemoryMapping.constant(UnsafeRawBufferPointer(texts.bytes), name: "begat-fortunes")
    self.index = try MemoryMapping.constant(UnsafeRawBufferPointer(entries), name: "begat-fortune-index")
    self.count = count
  }

  var entries: UnsafeBufferPointer<Entry> {
    UnsafeBufferPointer(UnsafeMutableBufferPointer(rebasing: index.bytes.assumingMemoryBound(to: Entry.self)[..<count]))
  }

  /// Any fortune, each as likely as the other.
  ///
  /// The kernel is asked every time: a generator's state would be the same in every forked process.
  func random() -> Entry { entries[Int.random(in: 0..<count)] }

  /// Any fortune whose length as sent is at most `longest`; nil when there is none.
  func random(atMost longest: Int) -> Entry? {
    let entries = entries
    var fitting = 0
    var end = entries.count
    while fitting < end {
      let middle = (fitting + end) / 2
      if Int(entries[middle].sentLength) <= longest { fitting = middle + 1 } else { end = middle }
    }
    return fitting > 0 ? entries[Int.random(in: 0..<fitting)] : nil
  }

  /// The text of any fortune whose length as sent, two bytes for an end of line, is at most `longest`; nil when there
  /// is none.
  ///
  /// - Returns: the text as a file has it, ending in LF.
  public func randomText(atMost longest: Int) -> [UInt8]? {
    random(atMost: longest).map { entry in
      let text = text(of: entry).map { entry.isRotated ? rotated($0) : $0 }
      return text.last == UInt8(ascii: "\n") ? text : text + [UInt8(ascii: "\n")]
    }
  }

  private func text(of entry: Entry) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: texts.bytes[Int(entry.start)..<(Int(entry.start) + Int(entry.length))])
  }

  /// Appends the fortune to a reply, lines ending in CRLF.
  func append(_ entry: Entry, to reply: inout Reply, of connection: inout Connection) throws(ConnectionFailure) {
    let text = text(of: entry)
    if entry.isRotated {
      var ends = LineEnds()
      try ends.expand(text) { (byte) throws(ConnectionFailure) in try reply.append(rotated(byte), to: &connection) }
    } else {
      try reply.append(lines: text, to: &connection)
    }
    if text.last != UInt8(ascii: "\n") { try reply.append("\r\n", to: &connection) }
  }

  /// Writes the fortune with CRLF at every line's end; returns the length, nil if it does not fit.
  func write(_ entry: Entry, into room: UnsafeMutableRawBufferPointer) -> Int? {
    var reply = ByteWriter(room)
    var ends = LineEnds()
    let text = text(of: entry)
    ends.expand(text) { byte in reply.append(entry.isRotated ? rotated(byte) : byte) }
    if text.last != UInt8(ascii: "\n") { reply.append("\r\n") }
    return reply.isTruncated ? nil : reply.count
  }
}

/// A letter thirteen further round the alphabet; any other byte as it is.
func rotated(_ byte: UInt8) -> UInt8 {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"): (byte - UInt8(ascii: "a") + 13) % 26 + UInt8(ascii: "a")
  case UInt8(ascii: "A")...UInt8(ascii: "Z"): (byte - UInt8(ascii: "A") + 13) % 26 + UInt8(ascii: "A")
  default: byte
  }
}
