"""The words the painter knows, in English and Russian; a star ends a stem, so that inflected forms match too."""

from __future__ import annotations

PLACES = {
    "abstract": (
        "abstract* pattern* gradient* swirl* fractal* texture* wallpaper* абстракц* абстракт* узор* градиент* "
        "фрактал* обои"
    ),
    "room": (
        "room* interior* bedroom* kitchen* cafe* café* library* indoors office* studio* desk* sofa* couch* "
        "lounge attic tavern* hearth fireplace* комнат* кабинет* кухн* спальн* кафе библиотек* камин* чердак* "
        "таверн* диван* офис* студи* интерьер*"
    ),
    "space": (
        "space* galax* nebula* planet* cosmos cosmic* universe orbit* asteroid* saturn* jupiter* mars "
        "martian* void interstellar milky spaceship* космос* космич* галакти* туманност* планет* вселенн* "
        "орбит* сатурн* юпитер* марс* марсиан* астероид* пустот*"
    ),
    "underwater": (
        "underwater* coral* reef* seabed aquarium* jellyfish* atlantis abyss deep-sea submarine* подводн* "
        "коралл* риф рифы рифов аквариум* медуз* атлантид*"
    ),
    "city": (
        "city* cities town* urban downtown street* skyline* skyscraper* metropol* rooftop* alley* tokyo* "
        "manhattan york megacity cyberpunk* highway* traffic apartment* building* город* улиц* небоскреб* "
        "небоскрёб* мегаполис* крыш* москв* петербург* токио киберпанк* переулок переулк* квартал* "
        "многоэтажк* здани*"
    ),
    "village": "village* hamlet* cottage* farmhouse* деревн* деревен* сел* посёлок поселк* хутор* изб* домик*",
    "sea": (
        "sea seas seaside ocean* beach* harbour* harbor* bay coast* shore* wave waves island* tropical* port "
        "pier lagoon* surf* tide* marina море* морск* моря морю морей океан* пляж* гаван* залив* берег* "
        "побереж* волн* остров* порт порту порта прибой прибо* лагун* причал* пристан* тропи*"
    ),
    "lake": (
        "lake* pond* river* reservoir fjord* stream creek canal* озер* озёр* рек реки река реке рекой реку "
        "пруд* фьорд* ручей ручь* канал*"
    ),
    "forest": (
        "forest* wood woods woodland* jungle* grove* pine pines taiga trees birch* rainforest* лес леса лесу "
        "лесом лесе лесн* тайг* рощ* джунгл* деревья деревьев берез* берёз* сосн* ель ели елей елк* ёлк* чащ*"
    ),
    "desert": (
        "desert* dune* sahara sand sands canyon* mesa* cactus* oasis* wasteland* egypt* pyramid* пустын* дюн* "
        "песок песк* песчан* каньон* кактус* оазис* сахар* пирамид* барханы"
    ),
    "field": (
        "field* meadow* prairie* grass* farm* wheat* valley* steppe* plains hill hills hillside* lavender* "
        "tulip* sunflower* garden* park pasture* countryside поле поля полей полю полем луг луга лугу лугов* "
        "степ* долин* холм* трав* лаванд* тюльпан* подсолнух* сад сада саду пшениц* ферм* парк* равнин* цветы "
        "цветов цветущ* flower* blossom*"
    ),
    "mountains": (
        "mountain* peak* alp alps alpine hiking summit* cliff* everest himalaya* volcano* ridge* glacier* "
        "rocky highland* гор гора горы горе горой горам* горах горн* пик пики вершин* скал* утес* утёс* альп* "
        "вулкан* ледник* эверест* хребет хребт* кавказ* алтай*"
    ),
}

TIMES = {
    "night": (
        "night* midnight moon* dark* starry starlit stars nocturn* evening late ночь* ночи ночн* ночью ночам "
        "полноч* лун* темн* тёмн* звезд* звёзд* вечер*"
    ),
    "dusk": "dusk* sunset* twilight* golden-hour golden sundown afterglow закат* сумерк* сумереч* золотой",
    "dawn": "dawn* sunrise* morning* daybreak early рассвет* утро утр* утрен* заря зари зарю восход*",
    "day": (
        "day daytime daylight noon sunny sunshine midday bright blue-sky день дня днем днём дневн* полдень "
        "солнечн* ясн* светл*"
    ),
}

WEATHER = {
    "rain": (
        "rain rains raining rainy rainfall drizzl* wet downpour puddle* shower* дожд* ливень ливн* мокр* луж* морос*"
    ),
    "snow": (
        "snow* blizzard* frost* frozen ice icy icicle* ski skiing снег* снеж* вьюг* метел* мороз* лёд лед "
        "льда ледян* заснежен* замерз* замёрз*"
    ),
    "fog": "fog foggy mist misty haze hazy smoke* smoky steam* туман* дымк* мгл* дым дыма пар",
    "storm": "storm* thunder* lightning* tempest* hurricane* tornado* шторм* гроз* молни* бур* ураган* гром*",
    "aurora": "aurora* borealis northern-lights polar polarlight* сияни* полярн* северн*",
    "clouds": "cloud* overcast sky skies heaven* облак* облач* туч* пасмурн* небо неба небе небес*",
    "rainbow": "rainbow* радуг*",
}

SEASONS = {
    "winter": (
        "winter* christmas xmas december january february arctic antarctic* зим* рождеств* новогод* новый-год "
        "декабр* январ* феврал* арктик* антаркти*"
    ),
    "autumn": (
        "autumn* fall october november september harvest halloween осен* октябр* ноябр* сентябр* листопад* хэллоуин*"
    ),
    "spring": "spring sakura* cherry blossom* april bloom* весн* сакур* вишн* апрел* цветени* цветущ*",
    "summer": "summer* july june august vacation лето лета летом летн* июл* июн* август* отпуск*",
}

HUES = {
    25.0: "red* crimson* scarlet* ruby blood* cherry красн* алый алая алое багров* рубин* кров* вишнев*",
    45.0: "orange* copper* rust* amber pumpkin* оранж* медн* ржав* янтар* тыкв* рыж*",
    85.0: "gold* yellow* honey* lemon* mustard желт* жёлт* золот* лимон* медов* горчичн*",
    140.0: "green* lime* moss* olive* matcha зелен* зелён* лайм* мох мха оливк*",
    165.0: "emerald* jade* mint* malachite изумруд* нефрит* мят*",
    195.0: "teal* turquoise* cyan* aqua* бирюз* циан* аквамарин*",
    245.0: "blue* azure* cobalt* sapphire* navy син* голуб* лазур* кобальт* сапфир*",
    285.0: "indigo* ultraviolet* индиго",
    305.0: "purple* violet* amethyst* lilac* lavender* фиолет* пурпур* лилов* сирен* аметист* лаванд*",
    345.0: "pink* magenta* rose rosy fuchsia* bubblegum розов* маджент* малинов* фукси* роза розы",
}

MOODS = {
    "pastel": (
        "pastel* soft gentle dream dreamy kawaii cute watercolor* watercolour* candy delicate пастел* нежн* "
        "мягк* мечтат* кавай* мил милый милая милое милые акварел*"
    ),
    "vivid": (
        "vivid vibrant saturated colorful colourful psychedelic acid rainbow* party festival carnival ярк* "
        "сочн* красочн* кислотн* психодел* вечеринк* праздн* карнавал*"
    ),
    "neon": (
        "neon* cyber* synthwave* retrowave* vaporwave* outrun hologram* holographic techno futuristic sci-fi "
        "arcade неон* кибер* синтвейв* ретровейв* голограмм* футурист* аркад*"
    ),
    "warm": "warm* cozy cosy* autumn* candle* fire fireplace* hearth toasty тепл* тёпл* уют* свеч* очаг*",
    "cold": "cold* cool chill* freez* frosty arctic холод* прохлад* студен* студён*",
    "gloomy": (
        "gloom* spooky* creepy haunted horror* gothic grim eerie dread nightmare* halloween мрачн* жутк* "
        "страшн* ужас* готич* кошмар* зловещ* хэллоуин*"
    ),
    "epic": "epic* majestic dramatic legendary heroic grand cinematic эпич* велич* драматич* легендарн* геро*",
    "calm": (
        "calm* peaceful serene quiet tranquil lofi lo-fi zen relax* meditat* спокой* тих* умиротвор* "
        "безмятеж* дзен релакс* медитац*"
    ),
    "magic": (
        "magic* fairy* fantasy enchant* mystic* wizard* elven firefl* glowing sparkl* волшеб* маги* сказ* "
        "фэнтези фентези мистич* чарующ* светлячк* сияющ* эльф*"
    ),
    "mono": "monochrome noir grayscale greyscale black-and-white bw монохром* нуар* черно-бел* чёрно-бел*",
    "sad": "sad* cry* tears unhappy lonely depress* груст* печал* плач* слез* слёз* одинок* тоск*",
    "angry": "angry rage* mad furious fury зл зла зло злой злая злые злюк* ярост* гнев* бешен*",
    "pixel": "pixel* 8-bit 8bit 16-bit 16bit retro-game voxel* minecraft* пиксел* майнкрафт* 8-бит*",
}

FEATURES = {
    "sun": "sun suns sunset* sunrise* sunny sunshine* солнц* солнеч* закат* рассвет*",
    "moon": "moon* lunar лун* полнолун* месяц*",
    "crescent": "crescent* полумесяц*",
    "stars": "star stars starry starlit milky constellation* звезд* звёзд* созвезд*",
    "roof": "roof* крыш*",
    "lighthouse": "harbour* harbor* гаван* порт порту порта lighthouse* beacon* маяк*",
    "boat": "boat* ship* sail* yacht* pirate* vessel* regatta корабл* лодк* парус* яхт* пират* судно фрегат*",
    "castle": (
        "castle* fortress* palace* tower* kingdom* citadel* замок замк* крепост* дворец дворц* башн* королевств*"
    ),
    "cabin": "cabin* cottage* hut* house* home* lodge домик* хижин* изб* дом дома домик коттедж* избушк*",
    "windmill": "windmill* mill мельниц*",
    "bridge": "bridge* viaduct* мост*",
    "birds": "bird birds seagull* gull* crow* raven* swallow* птиц* чайк* ворон* ласточ* журавл*",
    "balloon": "balloon* airship* zeppelin* blimp* воздушн* дирижабл*",
    "planet": "planet* saturn* jupiter* mars world* планет* сатурн* юпитер* марс*",
    "comet": "comet* meteor* shooting asteroid* комет* метеор* астероид* падающ*",
    "fireflies": "firefl* glowworm* lantern* светлячк* фонарик* фонар*",
    "campfire": "campfire* bonfire* camp camping tent* костер* костёр* костр* палатк* кемпинг*",
    "beach": "beach* пляж* берег* побереж* island* остров* tropical* тропи*",
    "rings": "ring* saturn* кольц* сатурн*",
    "cosy": "cozy cosy* уют*",
    "palm": "palm* tropical* coconut* hawaii* miami island* пальм* тропи* кокос* остров*",
    "volcano": "volcano* lava magma eruption* вулкан* лав* магм* извержен*",
    "pyramid": "pyramid* egypt* пирамид* египет* египт*",
    "cactus": "cactus* кактус*",
    "waterfall": "waterfall* cascade* водопад*",
    "flowers": (
        "flower* tulip* lavender* sunflower* poppy poppies rose roses bloom* blossom* цвет* тюльпан* лаванд* "
        "подсолнух* мак маки роза розы ромашк*"
    ),
    "fireworks": "firework* salute celebration* new-year фейерверк* салют*",
    "fireplace": "fireplace* hearth* камин* очаг*",
    "books": "book* library* read* study* книг* библиотек* чита*",
    "computer": (
        "coding coder* программист* "
        "computer* gaming gamer* monitor* stream* setup* keyboard* laptop* pc hacker* desk* компьютер* гейм* "
        "монитор* стрим* ноутбук* клавиатур* хакер* стол стола столе"
    ),
    "plants": "plant* monstera botanic* greenhouse* растен* цветок оранжере*",
    "tree": "tree oak willow baobab sakura* дерев* дуб дуба ив ива ивы сакур* вишн*",
}

SUBJECTS = {
    "cat": (
        "cat cats kitten* kitty kitties meow* neko кот кота коту котом коте коты котов кошк* кошач* котик* "
        "котен* котён* котэ мяу"
    ),
    "dog": (
        "dog dogs doggo* puppy puppies pup hound* corgi* shiba* doge husky pug собак* собач* пес пса псу пёс "
        "псом щен* корги хаски мопс* шиба"
    ),
    "fox": "fox foxes foxy kitsune лис лиса лисы лису лисиц* лисён* лисен* лисой",
    "wolf": "wolf* wolves werewolf* волк* волч*",
    "bear": "bear bears grizzly teddy медвед* мишк* медвеж*",
    "panda": "panda* панд*",
    "rabbit": "rabbit* bunny bunnies hare hares кролик* заяц зайц* зайк* зайч* крольч*",
    "mouse": "mouse mice rat rats hamster* мыш* крыс* хомяк* хомяч*",
    "pig": "pig pigs piggy piglet* boar свин* поросен* поросён* хрюш*",
    "lion": "lion* tiger* лев льва львы львом тигр*",
    "monkey": "monkey* ape apes gorilla* chimp* обезьян* горилл* шимпанзе мартышк*",
    "frog": "frog* toad* pepe лягуш* жаб* пепе",
    "owl": "owl* сов сова совы сову совой филин*",
    "duck": "duck* goose geese chicken* chick утк* уточк* утен* утён* гусь гус* куриц* цыплен* цыплён*",
    "penguin": "penguin* пингвин*",
    "fish": "fish* shark* goldfish whale* dolphin* tuna рыб* акул* кит киты кита дельфин*",
    "octopus": "octopus* kraken* squid* tentacle* cthulhu* осьминог* кракен* кальмар* щупальц* ктулху",
    "dragon": "dragon* wyvern* dinosaur* dino godzilla* t-rex дракон* динозавр* годзилл* ящер*",
    "robot": ("robot* android* mech mecha droid* cyborg* bot bots робот* андроид* меха дроид* киборг* бот боты бота"),
    "ghost": "ghost* spirit* boo phantom* привиден* призрак* дух духи",
    "alien": "alien* extraterrestrial* martian* инопланет* пришел* пришелец* марсиан*",
    "ufo": "ufo ufos saucer* нло тарелк*",
    "astronaut": "astronaut* cosmonaut* spaceman космонавт* астронавт* скафандр*",
    "wizard": ("wizard* witch* mage mages sorcer* merlin gandalf волшебник* маг маги мага ведьм* колдун* чароде*"),
    "knight": ("knight* warrior* paladin* viking* samurai* hero heroes рыцар* воин* викинг* самура* богатыр* геро*"),
    "rocket": "rocket* spaceship* launch* spacecraft* ракет* звездолёт* звездолет* запуск*",
    "castle": "castle* замок замк*",
    "heart": "heart* love* valentine* romance romantic сердц* сердеч* любов* любл* валентин* романт*",
    "coffee": (
        "coffee* espresso* latte* cappuccino* tea cup mug cocoa кофе* чай чая чашк* кружк* латте капучино какао"
    ),
    "fire": "fire flame* blaze* burning inferno огонь огн* пламя пламен* пожар* горит горящ*",
    "trophy": (
        "trophy trophies win wins winner* victory champion* medal* gg кубок кубк* трофе* побед* чемпион* медал*"
    ),
    "star": "superstar* star-power звездочк* звёздочк*",
    "mushroom": "mushroom* fungus toadstool* гриб* мухомор*",
    "crown": "crown* king kings queen* royal* prince* корон* корол* царь цар* принц*",
    "gamepad": ("gamepad* controller* joystick* gamer* playstation xbox nintendo геймпад* джойстик* геймер* приставк*"),
    "pizza": "pizza* пицц*",
    "burger": "burger* hamburger* cheeseburger* бургер* гамбургер* чизбургер*",
    "cactus": "cactus* кактус*",
    "pumpkin": "pumpkin* jack-o-lantern тыкв*",
    "snowman": "snowman* snowmen снеговик*",
    "bomb": "bomb* explosion* boom dynamite бомб* взрыв* динамит* бабах",
    "gem": "gem gems diamond* crystal* jewel* ruby алмаз* кристалл* бриллиант* драгоцен*",
    "bulb": "idea ideas lightbulb* bulb lamp genius brain* идея идеи идею лампочк* гени* мозг*",
    "money": ("money cash coin* rich dollar* bitcoin* gold-coin деньг* денег монет* богат* доллар* рубл* биткоин*"),
    "sword": "sword* blade* excalibur katana* меч меча мечи мечом клинок клинк* катан*",
    "potion": "potion* alchemy flask* poison* зель* эликсир* колб* алхим* яд",
}
