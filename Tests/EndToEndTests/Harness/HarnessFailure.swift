/// Why a test cannot go on; one line, with what to do about it.
struct HarnessFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
