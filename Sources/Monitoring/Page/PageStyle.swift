/// The page's style sheet: wide tables, cards where the page is narrow, light and dark as the browser wishes.
enum PageStyle {
  static let text: StaticString = """
    :root { --text: #1b2430; --quiet: #5a6675; --page: #f3f5f8; --card: #fff; --line: #dde3ea; --track: #e3e8ef;
      --accepted: #2f6fde; --refused: #d0392b; --good: #18794e; --good-back: #dff3e8;
      --bad: #b42318; --bad-back: #fde7e4; --passing: #8a5a00; --passing-back: #fdf0d0 }
    @media (prefers-color-scheme: dark) {
      :root { --text: #e4e9f0; --quiet: #9aa7b8; --page: #0f141b; --card: #171e27; --line: #2a3441; --track: #2a3441;
        --accepted: #5b9bff; --refused: #ff7a6b; --good: #6fd6a2; --good-back: #14372a;
        --bad: #ff9b8f; --bad-back: #471f1c; --passing: #f0c265; --passing-back: #3d2f10 }
    }
    * { box-sizing: border-box }
    body { margin: 0 auto; padding: 1.5rem; max-width: 80rem; background: var(--page); color: var(--text);
      font: 15px/1.45 -apple-system, "Segoe UI", Roboto, "Noto Sans", Ubuntu, "DejaVu Sans", sans-serif }
    h1 { display: inline; margin: 0 .5rem 0 0; font-size: 1.6rem }
    h2 { margin: 0 0 .5rem; font-size: 1.05rem }
    header p { margin: .5rem 0 1rem; color: var(--quiet); overflow-wrap: anywhere }
    .path { color: var(--text) }
    dl { display: grid; grid-template-columns: repeat(4, 1fr); gap: .75rem; margin: 0 }
    dl div, section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem }
    dl div { padding: .7rem 1rem }
    dt { color: var(--quiet); font-size: .85rem }
    dd { margin: 0; font-size: 1.3rem; font-weight: 600; font-variant-numeric: tabular-nums }
    footer p { margin: 1rem 1.1rem 0; color: var(--quiet); font-size: .85rem }
    a { color: inherit }
    section { margin-top: 1rem; padding: 1rem 1.1rem }
    table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums }
    th, td { padding: .5rem .8rem .5rem 0; border-top: 1px solid var(--line); text-align: left; vertical-align: top }
    th:last-child, td:last-child { padding-right: 0 }
    thead th { border: 0; padding-top: 0; color: var(--quiet); font-size: .8rem; font-weight: 500; white-space: nowrap }
    tbody th { font-weight: 600 }
    tbody th, td { overflow-wrap: anywhere }
    .n { text-align: right }
    small { display: block; color: var(--quiet); font-size: .8rem; font-weight: 400 }
    .none { margin: 0; color: var(--quiet) }
    main > .none { margin: .5rem 1.1rem }
    .zero { color: var(--quiet) }
    .bad { color: var(--bad) }
    .state { padding: .1rem .55rem; border-radius: 1rem; font-size: .85rem; font-weight: 600; white-space: nowrap }
    .state.good { color: var(--good); background: var(--good-back) }
    .state.bad { color: var(--bad); background: var(--bad-back) }
    .state.passing { color: var(--passing); background: var(--passing-back) }
    .state.good::before { content: "\\25CF\\2002" }
    .state.passing::before { content: "\\25D0\\2002" }
    .state.bad::before { content: "\\25B2\\2002" }
    .meter { display: block; height: 4px; margin-top: .3rem; border-radius: 2px; overflow: hidden;
      background: var(--track) }
    .meter i { display: block; height: 100%; background: var(--accepted) }
    .meter.full i { background: var(--refused) }
    .history { width: 30% }
    @media (min-width: 45.01rem) { .services thead th:last-child, .services .history { padding-left: .8rem } }
    svg { display: block; width: 100%; height: 40px; border-bottom: 1px solid var(--line) }
    .a { fill: var(--accepted) }
    .r { fill: var(--refused) }
    @media (max-width: 45rem) {
      body { padding: 1rem }
      dl { grid-template-columns: 1fr 1fr }
      table, tbody { display: block }
      thead { display: none }
      tr { display: grid; grid-template-columns: repeat(3, minmax(0, 1fr)); gap: .3rem .8rem; padding: .7rem 0;
        border-top: 1px solid var(--line) }
      th, td { padding: 0; border: 0 }
      tbody th, .history { grid-column: 1 / -1; width: auto }
      .services tbody th { grid-column: 1 / 3 }
      .is { text-align: right }
      .history { margin-top: .4rem }
      .clients td:nth-of-type(1) { grid-column: 1 / -1 }
      .grouped tr { grid-template-columns: minmax(0, 5fr) minmax(0, 3fr) minmax(0, 3fr); padding: .3rem 0; border: 0 }
      .grouped tr:has(th) { padding-top: .7rem; border-top: 1px solid var(--line) }
      .n { text-align: left }
      td[data-c]::before { content: attr(data-c); display: block; white-space: nowrap; color: var(--quiet);
        font-size: .75rem }
      .grouped tr:not(:has(th)) td[data-c]::before { display: none }
    }

    """
}
