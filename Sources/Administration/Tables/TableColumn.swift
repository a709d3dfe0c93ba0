/// A column of a table that may have to do with fewer characters than its cells have.
struct TableColumn: Hashable {
  enum Alignment {
    case left
    case right
  }

  /// Which part of a cell is left out where it is cut; a `+` stands in its place.
  enum Cut: Hashable {
    case never
    /// The end, as of a name.
    case end(minimum: Int)
    /// The beginning, as of a path, whose last part tells it from others.
    case beginning(minimum: Int)

    fileprivate var minimum: Int? {
      switch self {
      case .never: nil
      case .end(let minimum), .beginning(let minimum): minimum
      }
    }
  }

  let title: String
  var alignment = Alignment.left
  var cut = Cut.never
  /// A column with a rank is left out where there is no room, the highest rank first.
  var rank: Int?

  init(_ title: String, _ alignment: Alignment = .left, cut: Cut = .never, rank: Int? = nil) {
    self.title = title
    self.alignment = alignment
    self.cut = cut
    self.rank = rank
  }

  /// The least characters in which it makes sense, if its longest cell has so many.
  func minimum(_ width: Int) -> Int { min(width, max(cut.minimum ?? width, title.utf8.count)) }

  /// Appends the cell in exactly so many characters.
  func append(_ cell: String, width: Int, to line: inout [UInt8]) {
    let excess = cell.utf8.count - width
    if excess <= 0 {
      let padding = repeatElement(UInt8(ascii: " "), count: -excess)
      if alignment == .right { line.append(contentsOf: padding) }
      line.append(contentsOf: cell.utf8)
      if alignment == .left { line.append(contentsOf: padding) }
    } else if case .beginning = cut {
      line.append(UInt8(ascii: "+"))
      line.append(contentsOf: cell.utf8.suffix(max(0, width - 1)))
    } else {
      line.append(contentsOf: cell.utf8.prefix(max(0, width - 1)))
      line.append(UInt8(ascii: "+"))
    }
  }
}
