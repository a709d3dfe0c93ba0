import JSON
import Testing

@Suite struct JSONValueTests {
  @Test("reads and writes durations to the millisecond")
  func readsAndWritesDurations() {
    #expect(JSONValue.seconds(.seconds(90)) == .integer(90))
    #expect(JSONValue.seconds(.milliseconds(1500)) == .number(1.5))
    #expect(JSONValue.number(0.0014).seconds == .milliseconds(1) && JSONValue.integer(3).seconds == .seconds(3))
    #expect(
      JSONValue.integer(-1).seconds == nil && JSONValue.number(1e300).seconds == nil
        && JSONValue.number(.nan).seconds == nil)
    #expect(JSONValue.integer(.max).seconds == nil && JSONValue.string("1").seconds == nil)
  }

  @Test("finds members by their names, and none in what is no object")
  func findsMembers() {
    let value: JSONValue = ["a": .integer(1), "b": .string("c")]
    #expect(value["a"] == .integer(1) && value["b"]?.string == "c" && value["c"] == nil)
    #expect(JSONValue.array([value])["a"] == nil)
  }
}
