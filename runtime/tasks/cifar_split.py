"""The classes of CIFAR-100 and its two few-shot splits.

CIFAR-FS is that of Bertinetto et al., 2019 (Meta-learning with differentiable closed-form solvers). FC100 is
that of Oreshkin et al., 2018 (TADAM): it keeps superclasses together.
"""

from __future__ import annotations

from atnas.runtime.tasks.task import Split


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


CLASSES = _names("""
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly
    camel can castle caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile
    cup dinosaur dolphin elephant flatfish forest fox girl hamster house kangaroo keyboard lamp
    lawn_mower leopard lion lizard lobster man maple_tree motorcycle mountain mouse mushroom
    oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
    possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake
    spider squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor
    train trout tulip turtle wardrobe whale willow_tree wolf woman worm
""")
"""All 100, in alphabetical order: a label is a position."""

_FS_VAL = _names("""
    beaver beetle butterfly camel cattle crab crocodile flatfish lamp maple_tree motorcycle otter
    sea shark television tractor
""")
_FS_TEST = _names("""
    baby bed bicycle chimpanzee fox leopard man pickup_truck plain poppy rocket rose snail
    sweet_pepper table telephone wardrobe whale woman worm
""")

# Large carnivores; large omnivores and herbivores; invertebrates other than insects; small mammals.
_FC_VAL = _names("""
    bear leopard lion tiger wolf camel cattle chimpanzee elephant kangaroo crab lobster snail spider
    worm hamster mouse rabbit shrew squirrel
""")
# Aquatic mammals; insects; medium mammals; people.
_FC_TEST = _names("""
    beaver dolphin otter seal whale bee beetle butterfly caterpillar cockroach fox porcupine possum
    raccoon skunk baby boy girl man woman
""")

CIFAR_FS: dict[str, Split] = dict.fromkeys(CLASSES, "train")
CIFAR_FS |= dict.fromkeys(_FS_VAL, "val")
CIFAR_FS |= dict.fromkeys(_FS_TEST, "test")

FC100: dict[str, Split] = dict.fromkeys(CLASSES, "train")
FC100 |= dict.fromkeys(_FC_VAL, "val")
FC100 |= dict.fromkeys(_FC_TEST, "test")
