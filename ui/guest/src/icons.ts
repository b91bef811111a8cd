/** The icon set (lucide, ISC licence), built into the script because the policy allows no foreign files. */

import arrowUp from "lucide-static/icons/arrow-up.svg?raw";
import ban from "lucide-static/icons/ban.svg?raw";
import check from "lucide-static/icons/check.svg?raw";
import circleAlert from "lucide-static/icons/circle-alert.svg?raw";
import circleCheck from "lucide-static/icons/circle-check.svg?raw";
import clock from "lucide-static/icons/clock.svg?raw";
import copy from "lucide-static/icons/copy.svg?raw";
import file from "lucide-static/icons/file.svg?raw";
import link from "lucide-static/icons/link.svg?raw";
import messageSquare from "lucide-static/icons/message-square.svg?raw";
import mic from "lucide-static/icons/mic.svg?raw";
import micOff from "lucide-static/icons/mic-off.svg?raw";
import monitorUp from "lucide-static/icons/monitor-up.svg?raw";
import monitorX from "lucide-static/icons/monitor-x.svg?raw";
import phone from "lucide-static/icons/phone.svg?raw";
import paperclip from "lucide-static/icons/paperclip.svg?raw";
import phoneOff from "lucide-static/icons/phone-off.svg?raw";
import settings from "lucide-static/icons/settings.svg?raw";
import smartphone from "lucide-static/icons/smartphone.svg?raw";
import thumbsDown from "lucide-static/icons/thumbs-down.svg?raw";
import thumbsUp from "lucide-static/icons/thumbs-up.svg?raw";
import video from "lucide-static/icons/video.svg?raw";
import videoOff from "lucide-static/icons/video-off.svg?raw";
import wifiOff from "lucide-static/icons/wifi-off.svg?raw";
import x from "lucide-static/icons/x.svg?raw";

const SHAPES = {
  arrowUp, ban, check, circleAlert, circleCheck, clock, copy, file, link, messageSquare, mic, micOff, monitorUp,
  monitorX, paperclip, phone, phoneOff, settings, smartphone, thumbsDown, thumbsUp, video, videoOff, wifiOff, x,
};

export type IconName = keyof typeof SHAPES;

export function icon(name: IconName, size = 20): SVGSVGElement {
  const parsed = new DOMParser().parseFromString(SHAPES[name], "image/svg+xml");
  const svg = document.importNode(parsed.documentElement, true) as unknown as SVGSVGElement;
  svg.setAttribute("width", String(size));
  svg.setAttribute("height", String(size));
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  return svg;
}
