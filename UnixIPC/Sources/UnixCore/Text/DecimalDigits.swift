@_spi(Begat) extension FixedWidthInteger {
  /// The number that a text of decimal digits means; nil for anything else, where `init(_:)` takes signs as well.
  public init?(decimal text: some StringProtocol) {
    guard !text.isEmpty, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else {
      return nil
    }
    self.init(String(text), radix: 10)
  }
}
