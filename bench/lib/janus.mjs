export async function startJanus() {
  throw new Error('not yet');
}
