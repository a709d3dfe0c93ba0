@_spi(Begat) import UnixCore

/// What a program wrote and has not been taken yet: the newest bytes, up to a limit.
struct ConversationBuffer: Sendable {
  /// How many bytes are kept by `trim`.
  let limit: Int
  private var storage: [UInt8] = []
  /// Taken or dropped bytes in front, moved away only when they are as many as the rest can be.
  private var start = 0
  /// How many bytes were dropped unread, since the beginning.
  private(set) var dropped: UInt64 = 0
  /// How many bytes went before the first one kept.
  private(set) var offset: UInt64 = 0

  init(limit: Int) { self.limit = max(1, limit) }

  var count: Int { storage.count - start }
  var bytes: ArraySlice<UInt8> { storage[start...] }

  mutating func append(_ bytes: UnsafeRawBufferPointer) { storage.append(contentsOf: bytes) }

  /// Drops the oldest bytes above the limit.
  mutating func trim() {
    let excess = count - limit
    guard excess > 0 else { return }
    dropped += UInt64(excess)
    remove(excess)
  }

  /// Takes the first bytes out.
  mutating func take(_ count: Int) -> [UInt8] {
    let taken = Array(bytes.prefix(count))
    remove(taken.count)
    return taken
  }

  /// Takes the first bytes out, of as many as there are at least.
  mutating func remove(_ count: Int) {
    start += count
    offset += UInt64(count)
    if start == storage.count {
      storage.removeAll(keepingCapacity: storage.capacity / 4 <= limit)
      start = 0
    } else if start >= max(4096, min(limit, storage.count / 2)) {
      storage.removeFirst(start)
      start = 0
    }
  }

  /// Where the bytes are found first, counted from the first one kept, at or after `from`; nil when they are not.
  func find(_ wanted: [UInt8], from: Int = 0) -> Int? {
    bytes.find(wanted, from: from)
  }
}
