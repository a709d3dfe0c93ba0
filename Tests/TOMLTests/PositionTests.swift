import TOML
import Testing

@Suite struct PositionTests {
  @Test("of keys and values count lines and characters from 1")
  func countsFromOne() throws {
    let table = try parse("a = 1\n\n  \"é\"\t=  'x' # é\r\n'è' . b=[ 2 ]\n")
    #expect(table.places == ["a 1:1 1:5", "é 3:3 3:10", "è 4:1 4:1"])
  }

  @Test("do not count a byte order mark")
  func doesNotCountTheMark() throws {
    #expect(try parse("\u{feff}a = 1").places == ["a 1:1 1:5"])
  }

  @Test("of values in arrays and braces are their own")
  func areTheirOwn() throws {
    let value = try #require(try parse("a = [\n  1, {b = 2, c.d = 3},\n]")["a"])
    let elements = try #require(value.array)
    #expect(elements.map(\.position) == [TextPosition(line: 2, column: 3), TextPosition(line: 2, column: 6)])
    #expect(elements[1].table?.places == ["b 2:7 2:11", "c 2:14 2:14"])
    #expect(elements[1]["c"]?.table?.places == ["d 2:16 2:20"])
  }

  @Test("of a table are those of its header's last key")
  func areThoseOfTheHeader() throws {
    let table = try parse("[a.b]\n[a]\nc = 1\n[ d . e ]\n")
    #expect(table.places == ["a 1:2 2:2", "d 4:3 4:3"])
    #expect(table["a"]?.table?.places == ["b 1:4 1:4", "c 3:1 3:5"])
    #expect(table["d"]?.table?.places == ["e 4:7 4:7"])
  }

  @Test("of a list of tables are those of its first header")
  func areThoseOfTheFirstHeader() throws {
    let table = try parse("[[a]]\nb = 1\n\n[[a]]\n")
    #expect(table.places == ["a 1:3 1:3"])
    #expect(table["a"]?.array?.map(\.position.line) == [1, 4])
  }

  @Test("of a table that dotted keys imply are those of the first such key")
  func areThoseOfTheFirstKey() throws {
    let table = try parse("x = 1\na.b = 1\na.c = 2\n")
    #expect(table.places == ["x 1:1 1:5", "a 2:1 2:1"])
    #expect(table["a"]?.table?.places == ["b 2:3 2:7", "c 3:3 3:7"])
  }

  @Test("are in the order of the text")
  func areInOrder() {
    let positions = [(1, 2), (1, 10), (2, 1)].map { TextPosition(line: $0.0, column: $0.1) }
    #expect(positions.reversed().sorted() == positions)
  }
}
