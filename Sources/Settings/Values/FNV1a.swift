extension Sequence<UInt8> {
  /// A digest that is the same in every process; it does not resist forgery.
  ///
  /// Source: Fowler, Noll, Vo: FNV-1a of 64 bits.
  public var fnv1a: UInt64 { reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 } }
}
