import Testing

@testable import Clients

@Suite struct RowsInOrderTests {
  @Test("shows each when all before it have come")
  func waits() {
    var rows = RowsInOrder<String>(count: 4)
    #expect(rows.put("c", at: 2) == [] && rows.missing == [0, 1, 3])
    #expect(rows.put("a", at: 0) == ["a"] && rows.put("b", at: 1) == ["b", "c"])
    #expect(rows.put("d", at: 3) == ["d"] && rows.missing == [])
  }
}
