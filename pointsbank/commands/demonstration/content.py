"""What the demonstration district is made of. Organizations are real and public; everyone else
is invented.
"""

from dataclasses import dataclass

# Communities that the story happens in; each gets branches and grids.
COMMUNITIES = (
    "140303001002",
    "140303001004",
    "140303003004",
    "140303003008",
    "140303004001",
    "140303005004",
)
BRANCH_NAMES = ("第一党支部", "第二党支部")
GRIDS_EACH = 2

SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
GIVEN = [
    "桂兰",
    "秀英",
    "建国",
    "志强",
    "丽华",
    "玉梅",
    "春生",
    "国庆",
    "晓东",
    "海燕",
    "文博",
    "雪梅",
    "卫东",
    "立新",
    "美玲",
    "金凤",
    "永强",
    "素芬",
    "德明",
    "爱华",
    "小红",
    "俊杰",
    "子轩",
    "雨桐",
    "浩然",
    "梓涵",
    "思远",
    "佳怡",
    "明辉",
    "淑珍",
    "福生",
    "长顺",
    "月娥",
    "凤霞",
    "贵生",
    "保国",
    "新民",
    "晓燕",
    "静",
    "敏",
    "磊",
    "洋",
    "涛",
    "勇",
    "艳",
    "娟",
    "刚",
    "平",
    "辉",
    "玲",
    "伟",
    "芳",
    "军",
    "杰",
    "霞",
    "萍",
    "鹏",
    "斌",
    "宁",
    "琳",
]

MEMBERS = 320
MERCHANTS = 40


@dataclass(frozen=True)
class Work:
    """A kind of task that the district does again and again."""

    title: str
    kind: str
    item: str
    place: str
    start_hour: int
    minutes: int
    places: int
    summary: str
    risk_note: str


WORKS = (
    Work(
        "河道清洁",
        "activity",
        "volunteer_hour",
        "桃河东门桥头",
        9,
        180,
        14,
        "沿河捡拾垃圾、清理杂草。手套、夹子、雨靴现场领取。",
        "岸边湿滑，请穿防滑鞋；不下水作业。组织方已投保意外险。",
    ),
    Work(
        "社区夜巡",
        "patrol",
        "night_patrol",
        "社区岗亭集合",
        19,
        120,
        4,
        "两人一组沿主要道路巡逻，提醒关好门窗，发现情况报值班电话。",
        "夜间行走注意脚下和来车，不单独处置纠纷。",
    ),
    Work(
        "便民服务点值守",
        "post",
        "post_shift",
        "党群服务中心一楼",
        8,
        240,
        3,
        "接待来访居民，指引办事窗口，帮老人填表、扫码。",
        "室内岗位，无特别风险。",
    ),
    Work(
        "独居老人探访",
        "visit",
        "care_visit",
        "社区居委会集合",
        15,
        90,
        6,
        "上门陪聊、测血压、看看家里水电气是否安全，填写探访卡。",
        "上楼注意安全；不代收现金，不代办银行业务。",
    ),
    Work(
        "楼道堆物清理",
        "activity",
        "volunteer_hour",
        "3号楼单元门口",
        14,
        180,
        12,
        "清理楼道杂物，疏通消防通道。",
        "搬重物两人一起，注意腰背。",
    ),
    Work(
        "四点半课堂辅导",
        "need",
        "volunteer_hour",
        "社区活动室",
        16,
        120,
        5,
        "辅导小学生作业，带孩子们读书、做游戏。",
        "孩子由家长签字接走，不单独带离活动室。",
    ),
    Work(
        "点亮微心愿",
        "wish",
        "micro_wish",
        "社区爱心角",
        10,
        60,
        8,
        "认领一个邻居的小心愿，一周内办好，请心愿人确认。",
        "只办心愿单上的事，不代付钱款。",
    ),
    Work(
        "防汛值守",
        "mobilization",
        "flood_duty",
        "河堤二号点",
        18,
        240,
        12,
        "雨情预警时在河堤值守，每半小时报一次水位。",
        "穿救生衣，水位超警戒立即撤离。",
    ),
    Work(
        "主题党日",
        "meeting",
        "theme_day",
        "支部会议室",
        9,
        120,
        40,
        "集中学习，议一议社区的事。",
        "室内活动，无特别风险。",
    ),
    Work(
        "义务植树",
        "activity",
        "volunteer_hour",
        "南山坡",
        8,
        240,
        24,
        "挖坑、栽苗、浇水。工具现场领取。",
        "山坡路陡，请穿运动鞋，注意工具。",
    ),
)


@dataclass(frozen=True)
class Offer:
    """Something a merchant gives for points."""

    name: str
    points: int
    stock: int
    limit: int | None = None
    kind: str = "goods"
    category: str = "food"


@dataclass(frozen=True)
class Shop:
    """A merchant of the demonstration."""

    name: str
    kind: str
    offers: tuple[Offer, ...]


SHOPS = (
    Shop(
        "平潭街爱心超市",
        "community_store",
        (
            Offer("食用油 1.8升", 120, 60, 2),
            Offer("大米 5公斤", 150, 40),
            Offer("洗衣液", 80, 60, category="daily"),
            Offer("卷纸 一提", 60, 80, category="daily"),
            Offer("垃圾袋 两卷", 20, 300, category="daily"),
        ),
    ),
    Shop(
        "阿明理发店",
        "service",
        (
            Offer("理发一次", 80, 100, 4, "service", "care"),
            Offer("老人上门理发", 100, 30, None, "service", "care"),
            Offer("修面刮脸", 30, 100, None, "service", "care"),
        ),
    ),
    Shop(
        "老李面馆",
        "shop",
        (Offer("牛肉面一碗", 60, 200), Offer("早餐券", 30, 300, None, "coupon")),
    ),
    Shop(
        "康宁药房",
        "shop",
        (
            Offer("血压测量与建档", 20, 500, None, "service", "care"),
            Offer("创可贴一盒", 15, 200, category="care"),
        ),
    ),
    Shop(
        "新华书屋",
        "shop",
        (
            Offer("图书借阅季卡", 50, 100, None, "service", "study"),
            Offer("儿童绘本一本", 120, 30, category="study"),
        ),
    ),
    Shop(
        "洁净洗衣",
        "service",
        (
            Offer("羽绒服清洗", 150, 40, None, "service", "home"),
            Offer("衬衫清洗", 50, 80, None, "service", "home"),
        ),
    ),
    Shop(
        "便民维修铺",
        "service",
        (
            Offer("换锁芯", 200, 20, 1, "service", "home"),
            Offer("磨刀一次", 20, 100, None, "service", "home"),
        ),
    ),
    Shop("甜甜面包房", "shop", (Offer("生日蛋糕 6寸", 300, 15, 1), Offer("面包一份", 30, 100))),
)
# More of the same kinds, until there are as many merchants as a district of this size has.
MORE_SHOP_NAMES = (
    "益民",
    "惠邻",
    "福满",
    "春风",
    "百姓",
    "同心",
    "邻里",
    "好日子",
    "安康",
    "如意",
    "顺达",
    "金穗",
    "鑫源",
    "众合",
    "和美",
    "长青",
)
MORE_SHOP_KINDS = (
    ("超市", "shop", (Offer("鸡蛋 一板", 90, 50), Offer("酱油醋套装", 45, 80))),
    ("早餐店", "shop", (Offer("豆浆油条一份", 25, 200),)),
    ("蔬果店", "shop", (Offer("时令水果 2公斤", 70, 60), Offer("当季青菜 一份", 20, 150))),
    ("停车场", "service", (Offer("停车 2小时", 40, 200, 4, "service", "travel"),)),
)
