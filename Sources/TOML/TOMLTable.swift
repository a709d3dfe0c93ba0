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
  public subscript(name: String) -> TOMLValue? { entry(name)?.value }

  /// The key that consists of exactly these Unicode scalars, with its value, in constant time.
  public func entry(_ name: String) -> Entry? { index[name].map { entries[$0] } }
}
