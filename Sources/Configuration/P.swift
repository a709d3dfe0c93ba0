public let placeholderConfiguration = 1
