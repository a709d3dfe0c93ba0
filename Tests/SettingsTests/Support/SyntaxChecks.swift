import Testing

@testable import Settings

extension Syntax where Value: Equatable {
  /// Expects that a file's value and a command line's word mean the same, and that the value is rendered as it is read.
  func expect(
    _ value: Value, from raw: RawValue, word: String, location: SourceLocation = #_sourceLocation
  ) {
    #expect((try? read(raw)) == value, "\(raw)", sourceLocation: location)
    #expect((try? read(.word(word))) == value, "the word \(word)", sourceLocation: location)
    guard let rendered = render(value) else {
      Issue.record("\(raw) is not rendered", sourceLocation: location)
      return
    }
    #expect((try? read(rendered)) == value, "\(rendered.toml)", sourceLocation: location)
    if case .table = rendered { return }
    let words = rendered.words.map { RawValue.word($0) }
    #expect((try? read(words.count == 1 ? words[0] : .list(words))) == value, sourceLocation: location)
  }

  /// Expects that neither reader takes the value.
  func expectRefusal(of raw: RawValue, word: String, location: SourceLocation = #_sourceLocation) {
    #expect((try? read(raw)) == nil, "\(raw)", sourceLocation: location)
    #expect((try? read(.word(word))) == nil, "the word \(word)", sourceLocation: location)
  }
}

extension Syntax {
  /// What is wrong with a value, one line for each problem; empty if nothing is.
  func complaints(about raw: RawValue) -> [String] {
    do throws(ValueProblems) {
      _ = try read(raw)
      return []
    } catch { return error.problems.map(\.message) }
  }
}
