import Testing
@_spi(Begat) import UnixCore

@testable import NetworkServices

/// A `.dat` file, field by field.
struct IndexFile {
  var version: UInt32 = 2
  var count: UInt32
  var flags: UInt32 = 0
  var delimiter = UInt8(ascii: "%")
  var offsets: [UInt32]

  /// As strfile(8) would make it for the text.
  init(of text: String) {
    var offsets: [UInt32] = [0]
    var position: UInt32 = 0
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      position += UInt32(line.utf8.count) + 1
      if line == "%" { offsets.append(position) }
    }
    let size = UInt32(text.utf8.count)
    self.offsets = offsets.filter { $0 < size } + [size]
    count = UInt32(self.offsets.count - 1)
  }

  var bytes: [UInt8] {
    let fields = [version, count, 0, 0, flags].flatMap(IndexFile.bigEndian)
    return fields + [delimiter, 0, 0, 0] + offsets.flatMap(IndexFile.bigEndian)
  }

  static func bigEndian(_ number: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) }
  }
}

/// A collection and what was said while it was read.
struct LoadedFortunes {
  let collection: FortuneCollection
  let warnings: [String]

  init(_ databases: String..., offensive: Bool = false, longest: Int? = nil) throws {
    var warnings: [String] = []
    collection = try FortuneLoader(databases: databases, includesOffensive: offensive, longest: longest)
      .load { warnings.append($0) }
    self.warnings = warnings
  }

  /// All fortunes as they are sent, in their order in the text.
  var texts: [String] {
    collection.entries.sorted { $0.start < $1.start }.map { entry in
      withUnsafeTemporaryAllocation(byteCount: 2 << 20, alignment: 1) { room in
        collection.write(entry, into: room).map { String(decoding: room[..<$0], as: UTF8.self) } ?? "(does not fit)"
      }
    }
  }
}
