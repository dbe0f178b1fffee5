/** Objects of a class that can be called as well. */

/** What a call of an object does. */
export interface Called<A> {
  (argument: A): void
}

/**
 * A class to extend: its objects are functions that pass on what they are called with to their method `dump`. Fields,
 * methods, private members and `instanceof` are those of the extending class.
 */
export function callable<A>(): new () => Called<A> {
  function Callable(): Called<A> {
    const self = ((argument: A) => self.dump(argument)) as Called<A> & { dump(argument: A): void }
    return Object.setPrototypeOf(self, (new.target as typeof Callable).prototype) as Called<A>
  }
  // Functions have call, bind and apply; so have these.
  Object.setPrototypeOf(Callable.prototype, Function.prototype)
  return Callable as unknown as new () => Called<A>
}
