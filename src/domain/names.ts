/** Two words for a run that was given no name. */
const ADJECTIVES =
  "amber ancient apt bold brave bright brisk calm candid clever cosmic crisp curious deft eager early fair fancy fast fine gentle glad golden grand hardy honest humble jolly keen kind lively loyal lucky mellow merry mighty modest neat nimble noble polite proud quick quiet rapid ready rosy serene sharp shiny silent smart snug solid spry stable steady stout sturdy subtle sunny swift tidy true vivid warm wise witty zesty"
    .split(" ");
const ANIMALS =
  "badger beaver bison carp civet condor cougar crane dingo dolphin eagle egret falcon ferret finch gecko gibbon goose grouse hare heron hornet ibex iguana impala jackal jaguar kestrel koala lemur lizard llama lynx magpie marmot marten mole mongoose moth newt ocelot okapi osprey otter owl oyster panda parrot pelican petrel pigeon puffin quail rabbit raven robin salmon seal shrew sparrow squid stoat stork swan tapir tern toad trout turtle viper walrus weasel whale wombat wren zebra"
    .split(" ");

/** `adjective-animal`, chosen by two numbers in [0, 1). */
export function randomName(first: number, second: number): string {
  return `${ADJECTIVES[Math.floor(first * ADJECTIVES.length)]}-${
    ANIMALS[Math.floor(second * ANIMALS.length)]
  }`;
}
