/** All items of an asynchronous iterable. (`Array.fromAsync` is younger than the oldest Node that is supported.) */
export async function collect<T>(source: AsyncIterable<T>): Promise<T[]> {
  const items: T[] = []
  for await (const item of source) items.push(item)
  return items
}
