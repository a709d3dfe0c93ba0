import Testing

@testable import Administration

/// Tables within the width of a terminal.
@Suite struct TableTests {
  private static func table() -> Table {
    var table = Table([
      TableColumn("NAME", cut: .end(minimum: 6)), TableColumn("COUNT", .right), TableColumn("MORE", rank: 1),
      TableColumn("MOST", rank: 2), TableColumn("PATH", cut: .beginning(minimum: 5)),
    ])
    table.add(["a-long-name", "7", "m", "mm", "/run/some/path"])
    table.add(["b", "123456", "m", "mm", ""])
    return table
  }

  @Test("are as wide as their cells in a pipe")
  func anyWidth() {
    #expect(
      Self.table().lines(nil) == [
        "NAME          COUNT  MORE  MOST  PATH", "a-long-name       7  m     mm    /run/some/path",
        "b            123456  m     mm",
      ])
  }

  @Test("cut the widest cells first, then leave columns out by their ranks")
  func narrow() {
    #expect(
      Self.table().lines(40) == [
        "NAME        COUNT  MORE  MOST  PATH", "a-long-n+       7  m     mm    +ome/path",
        "b          123456  m     mm",
      ])
    #expect(Self.table().lines(30)[0].split(separator: " ") == ["NAME", "COUNT", "MORE", "PATH"])
    #expect(Self.table().lines(24)[0].split(separator: " ") == ["NAME", "COUNT", "PATH"])
  }

  @Test("keep to every width that is possible", arguments: 21...60)
  func everyWidth(width: Int) {
    let lines = Self.table().lines(width)
    #expect(lines.allSatisfy { $0.utf8.count <= width }, "\(lines)")
    #expect(lines[2].contains("123456"))
  }

  @Test("keep columns where they were")
  func steadyColumns() {
    let table = Self.table()
    let fit = TableFit(table.columns, table.rows, width: 60)
    let later = TableFit(
      table.columns, [["c", "1", "m", "mm", "/p"]], width: 60, atLeast: fit.widths(of: table.columns.count))
    #expect(fit.titles == later.titles)
    #expect(later.line(["c", "1", "m", "mm", "/p"]) == "c                 1  m     mm    /p")
  }

  @Test("show nothing raw", arguments: ["\u{1b}[2J", "\u{9b}31m", "a\r\nb", "\u{202e}x", "\u{7f}"])
  func hostileCells(text: String) {
    var table = Table([TableColumn("A"), TableColumn("B")])
    table.add([text, "end"])
    let lines = table.lines(nil)
    #expect(lines.count == 2)
    #expect(lines.joined().utf8.allSatisfy { (0x20...0x7e).contains($0) }, "\(lines)")
    #expect(lines[1].contains("\\x") && lines[1].hasSuffix("  end"))
  }
}
