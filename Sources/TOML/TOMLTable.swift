/// A table: its entries in the order in which they were written, each with its key's position.
public struct TOMLTable: Sendable {
  /// A key and its value.
  public struct Entry: Sendable {
    public let key: TOMLKey
    public let value: TOMLValue
  }

  public let entries: [Entry]
  private let index: NameIndex

  init(entries: [Entry], index: NameIndex) {
    self.entries = entries
    self.index = index
  }

  /// The value of the key that consists of exactly these Unicode scalars, in constant time.
  public subscript(name: String) -> TOMLValue? {
    index[name].map { entries[$0].value }
  }
}

/// Finds an entry's place by its name.
struct NameIndex: Sendable {
  private var places: [ExactName: Int] = [:]

  subscript(name: String) -> Int? {
    get { places[ExactName(name: name)] }
    set { places[ExactName(name: name)] = newValue }
  }
}

/// A name that equals another only if all bytes are the same.
///
/// `String` takes "é" and "e" with a combining accent for one; to TOML they are two keys.
private struct ExactName: Hashable {
  let name: String

  static func == (left: ExactName, right: ExactName) -> Bool {
    left.name.utf8.elementsEqual(right.name.utf8)
  }

  func hash(into hasher: inout Hasher) {
    let done: Void? = name.utf8.withContiguousStorageIfAvailable { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    if done == nil { for byte in name.utf8 { hasher.combine(byte) } }
  }
}
