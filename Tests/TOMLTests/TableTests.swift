import TOML
import Testing

@Suite struct TableTests {
  @Test("keeps entries in the order in which they were written")
  func keepsTheOrder() throws {
    let text = (0..<100).map { "k\($0 * 37 % 100) = \($0)\n" }.joined()
    let table = try parse(text)
    #expect(table.entries.map(\.key.name) == (0..<100).map { "k\($0 * 37 % 100)" })
    #expect((0..<100).allSatisfy { table["k\($0 * 37 % 100)"]?.integer == Int64($0) })
    #expect(table["k100"] == nil)
  }

  @Test("takes names of different scalars for different keys", arguments: [0, 20])
  func comparesScalars(fillers: Int) throws {
    let filling = (0..<fillers).map { "f\($0) = 0\n" }.joined()
    let table = try parse(filling + "\"\u{e9}\" = 1\n\"e\u{301}\" = 2\n")
    #expect(table["\u{e9}"]?.integer == 1)
    #expect(table["e\u{301}"]?.integer == 2)
  }

  @Test("grows by headers and dotted keys as far as TOML allows")
  func grows() throws {
    let table = try parse(
      """
      [a.b.c]
      x = 1
      [a]
      b.y = 2
      d.e = 3
      d.f = 4
      [a.d.g]
      [[l]]
      m.n = 5
      [l.o]
      [[l]]
      [l.o]
      [[l.p]]
      [[l.p]]
      """)
    #expect(table["a"]?["b"]?["c"]?["x"]?.integer == 1)
    #expect(table["a"]?["b"]?["y"]?.integer == 2)
    #expect(table["a"]?["d"]?.table?.entries.map(\.key.name) == ["e", "f", "g"])
    let list = try #require(table["l"]?.array)
    #expect(list.map { $0.table?.entries.map(\.key.name) } == [["m", "o"], ["o", "p"]])
    #expect(list[1]["p"]?.array?.count == 2)
  }

  @Test(
    "says where the first is",
    arguments: [
      Slip("a = 1\nb = 2\na = 3", "3:1: \"a\" is already set at line 1"),
      Slip("a = {b = 1, b = 2}", "1:13: \"b\" is already set at line 1, column 6"),
      Slip("a = 1\n'a' = \"later faults come later", "2:1: \"a\" is already set at line 1"),
      Slip("a.b = 1\na = 2", "2:1: \"a\" is already a table at line 1"),
      Slip("[[a.b]]\n[a]\nb = 1", "3:1: \"b\" is already a list of tables at line 1"),
      Slip("\"\\u0007\" = 1\n\"\\u0007\" = 2", "2:1: \"\\u{7}\" is already set at line 1"),
      Slip("a = 1\n[a.b]", "2:2: \"a\" is already set at line 1, and is no table"),
      Slip("a = 1\na.b = 2", "2:1: \"a\" is already set at line 1, and is no table"),
      Slip("a = [1]\n[a.b]", "2:2: \"a\" is already set at line 1, to an array; nothing can be added to it"),
      Slip("a = {}\na.b = 1", "2:1: \"a\" is a table in braces at line 1, which is complete; write the key there"),
      Slip("a = {}\n[a.b]", "2:2: \"a\" is a table in braces at line 1, which is complete; write the key there"),
      Slip("a = 1\n[a]", "2:2: \"a\" is already set at line 1"),
      Slip("[a]\n[b]\n[ a ]", "3:3: this table is already at line 1; write its keys there"),
      Slip("a.b = 1\n[a]", "2:2: this table is already at line 1; write its keys there"),
      Slip("[a.b]\n[a]\nb.c = 1\n[a.b]", "3:1: \"b\" has its own header at line 1; write the key there"),
      Slip("[a.b.c]\n[a]\nb.d = 1\n[a.b]", "4:4: this table is already at line 1; write its keys there"),
      Slip("[[a.b]]\n[a]\nb.c = 1", "3:1: \"b\" is a list of tables at line 1; write the key there"),
      Slip("[[x]]\n[x]", "2:2: \"x\" is a list of tables since line 1; write [[...]] for one more, or another name"),
      Slip("[x]\n[[x]]", "2:3: \"x\" is a single table at line 1; write [[...]] there too for a list of tables"),
      Slip("x = []\n[[x]]", "2:3: \"x\" is already set at line 1"),
    ])
  func saysWhereTheFirstIs(slip: Slip) { #expect(fault(slip.text) == slip.fault) }
}
