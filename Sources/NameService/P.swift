public let placeholderNameService = 1
