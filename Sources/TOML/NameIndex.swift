/// Finds the place of a name among those that were added: a few by looking at each, many by their hash.
struct NameIndex: Sendable {
  private static let few = 8

  private var names: [ExactName] = []
  private var places: [ExactName: Int] = [:]

  subscript(name: String) -> Int? {
    let name = ExactName(name: name)
    return places.isEmpty ? names.firstIndex(of: name) : places[name]
  }

  /// Adds a name that is not there yet, at the next place.
  mutating func append(_ name: String) {
    let name = ExactName(name: name)
    if !places.isEmpty {
      places[name] = places.count
    } else if names.count < Self.few {
      names.append(name)
    } else {
      for place in names.indices { places[names[place]] = place }
      places[name] = names.count
      names = []
    }
  }
}

/// A name that equals another only if all bytes are the same.
///
/// `String` takes "é" and "e" with a combining accent for one; to TOML they are two keys.
private struct ExactName: Hashable {
  let name: String

  static func == (left: ExactName, right: ExactName) -> Bool {
    left.name.utf8.count == right.name.utf8.count && left.name.utf8.elementsEqual(right.name.utf8)
  }

  func hash(into hasher: inout Hasher) {
    let done: Void? = name.utf8.withContiguousStorageIfAvailable { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    if done == nil { for byte in name.utf8 { hasher.combine(byte) } }
  }
}
