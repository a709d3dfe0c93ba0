import JSON

private typealias Member = JSONValue.Member

extension Rates {
  var json: JSONValue {
    .object([
      Member("second", .number(second)), Member("minute", .number(minute)),
      Member("quarter-hour", .number(quarterHour)),
    ])
  }

  init(_ json: JSONValue) throws(AnswerProblem) {
    second = try json.decimal("second")
    minute = try json.decimal("minute")
    quarterHour = try json.decimal("quarter-hour")
  }
}

extension DurationHistogram {
  /// The bounds stand beside the counts, so that a reader need not know them.
  var json: JSONValue {
    .object([
      Member("bounds", .array(DurationHistogram.bounds.map { .seconds($0) })),
      Member("counts", .array(counts.map { .count($0) })), Member("sum", .seconds(sum)),
    ])
  }

  init(_ json: JSONValue) throws(AnswerProblem) {
    counts = try json.numbers("counts")
    guard counts.count == DurationHistogram.bounds.count + 1 else { throw AnswerProblem(member: "counts") }
    // Another program may answer in begatd's place, with any number.
    guard let milliseconds = Int64(exactly: (try json.decimal("sum") * 1000).rounded()), milliseconds >= 0 else {
      throw AnswerProblem(member: "sum")
    }
    sum = .milliseconds(milliseconds)
  }
}
