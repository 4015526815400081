"""English words for the same thing: people ask with everyday words, documents answer formally.

"Can I call off my appointment?" is found at "cancel", a pram at a pushchair, "fix" at "repair".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from domainsmith.data_connection.language import content_terms

__all__ = ["same_terms"]

_GROUPS = """
fix repair mend
broken faulty defective damaged fault
break damage fail
phone telephone call ring
call contact telephone phone
number telephone line hotline
email mail write
letter written referral
money payment amount sum
cost price fee charge
charge fee price
pay charge fee
cheap discount reduced
discount reduction
refund repay reimburse return
deposit retainer
fine penalty
bill invoice
buy purchase order
sell sale
send post ship deliver
delivery shipping
return bring
get receive obtain
start begin commence
finish end complete
stop end cancel
cancel terminate withdraw end
change amend alter modify
allow permit authorise
allowed permitted authorised
forbidden prohibited banned allowed
banned prohibited forbidden
must required compulsory obliged
need require
leave end vacate
keep store retain
save store
hold keep retain
throw dispose discard
tell notify inform report
inform notify
ask request apply
apply request
choose select
show display indicate
clean wash cleaning
dirty soiled stained
wet moist damp
hot warm heat
cold cool ice
big large
small little
quick fast soon
quickly promptly soon
slow slowly
kid child
kids children
baby infant
son child
daughter child
husband spouse partner
wife spouse partner
mother parent
father parent
mum parent
dad parent
pensioner retired
elderly older
boss manager supervisor
manager supervisor
worker employee staff
staff employee
colleague employee
client customer
tenant occupier
lodger subtenant
landlord association owner
flatmate occupant
doctor physician
dentist dental
physio physiotherapy
medicine drug tablet
pill tablet
tablet pill
painkiller analgesic
shot injection vaccine
sick ill illness
ill sick illness
pregnant pregnancy
breastfeeding milk
wine alcohol
beer alcohol
booze alcohol
drink alcohol beverage
smoke smoking tobacco
hurt pain injury
pain ache sore
sore soreness pain
swollen swelling
tooth teeth dental
knee leg
op operation surgery
surgery operation
appointment visit session
visit appointment
meeting appointment
holiday vacation leave
vacation holiday leave
trip journey travel
flight plane
flat apartment home
apartment flat home
house home
room bedroom
hallway corridor hall
hall corridor
stairs stairway staircase
lift elevator
garden yard
bin container rubbish
rubbish waste refuse
trash waste rubbish
garbage waste rubbish
car vehicle
bike bicycle
lorry truck
pram pushchair stroller
tap faucet
loo toilet
sofa couch
couch sofa
wardrobe furniture
fridge refrigerator
tv television
telly television
mobile phone
computer laptop
laptop computer
photo picture image
form application
documents papers paperwork
papers documents
proof evidence certificate
id identification passport
key fob
noise noisy loud
noisy noise loud
loud noise
music instrument musical
piano instrument musical
guitar instrument musical
party event
pet animal
dog pet animal
cat pet animal
neighbour neighbor neighbours
argument dispute
complain complaint
complaint grievance
emergency urgent
urgent emergency
theft stolen burglary
stolen theft
steal theft
robbed theft robbery
fire smoke flame
flood flooding water
leak leaking drip
drip leak
mould damp
crack fissure
power electricity
electricity power
plug socket
cable cord lead
hose pipe
water tank
filter cartridge
cup mug
brew coffee
beans coffee
descale limescale
limescale scale descale
guarantee warranty
warranty guarantee
insurance insurer policy
insured covered
cover insure
claim compensation
compensation payment
opening open hours
open opening hours
closed shut
shut close closed
early before
late after delay
yearly annual year
annual yearly year
monthly month
weekly week
daily day
overnight night
weekend saturday sunday
midday noon
min minute
max maximum
maximum most
minimum least
limit maximum
free charge
own yourself
alone unaccompanied
together joint
rent rental lease
lease rent tenancy
contract agreement
agreement contract
notice warning
warning notice
rule regulation
age old
height tall
weight heavy
contain hold
spare replacement part
replace exchange swap
swap exchange replace
upgrade replace
install fit set
fit install
use operate
switch turn
press push
blink flash
flash blink
flashing blinking
beep sound signal
error code fault
problem fault error
trouble fault error
smell odour
taste flavour
park parking
parking park
"""
_PHRASES = {
    "turn up": "arrive",
    "show up": "arrive",
    "call off": "cancel",
    "pull out": "withdraw cancel",
    "back out": "withdraw cancel",
    "hold on to": "keep retain",
    "hang on to": "keep retain",
    "give back": "return hand",
    "hand back": "return hand",
    "hand in": "return",
    "take back": "return",
    "money back": "refund repay",
    "money off": "discount reduction receive",
    "move out": "leave end vacate tenancy",
    "moving out": "leave end vacate tenancy",
    "let you know": "tell notify inform",
    "let us know": "tell notify inform",
    "get rid of": "dispose remove",
    "pick up": "collect fetch",
    "picking up": "collection collect",
    "put off": "postpone",
    "go up": "increase rise change",
    "goes up": "increase rise change",
    "go down": "decrease reduce fall",
    "set up": "install",
    "sign up": "register enrol",
    "run out": "expire empty",
    "fill up": "fill refill",
    "carry on": "continue",
    "take part": "participate join",
    "pass on": "transfer",
    "get in touch": "contact",
    "write down": "diary record note",
    "next door": "neighbour",
    "out of order": "fault broken",
    "no show": "miss",
    "didn't turn up": "miss missed",
    "did not turn up": "miss missed",
    "be away": "absent absence away",
    "go away": "absent absence away",
    "going away": "absent absence away",
    "travelling": "away absent",
    "take home": "home",
    "look after": "care",
    "passed away": "death dies",
    "has died": "death dies",
    "use up": "use passed transfer",
}
"""Words of two parts, by the plain ones; each stands for the phrase's own content terms."""


def same_terms(text: str) -> dict[str, tuple[str, ...]]:
    """Return other terms for the terms of an English text.

    Args:
        text: A question.

    Returns:
        For its content terms the terms that texts may have instead; none for most words.
    """
    groups = _groups()
    found = {term: groups[term] for term in content_terms(text, "en") if term in groups}
    lowered = " ".join(text.lower().replace("\u2019", "'").split())
    for phrase, plain in _PHRASES.items():
        if re.search(rf"\b{phrase}\b", lowered):
            others = tuple(content_terms(plain, "en"))
            for term in content_terms(phrase, "en"):
                found[term] = (*found.get(term, ()), *others)
    return found


@lru_cache(maxsize=1)
def _groups() -> dict[str, tuple[str, ...]]:
    groups: dict[str, tuple[str, ...]] = {}
    for word, others in _lines():
        for term in content_terms(word, "en"):
            groups[term] = (*groups.get(term, ()), *others)
    return groups


def _lines() -> Iterator[tuple[str, tuple[str, ...]]]:
    for line in _GROUPS.split("\n"):
        word, _, rest = line.partition(" ")
        if word:
            yield word, tuple(content_terms(rest, "en"))
